import { hostname } from "node:os";
import type { Config } from "./config.ts";
import type { Clock, Database } from "./flow/ports.ts";
import { topicNames } from "./flow/topics.ts";
import { createCodec, NotRegistered } from "./io/avro-codec.ts";
import { declaredTopics } from "./io/avro-declared.ts";
import { createKafka } from "./io/kafka-client.ts";
import { isTransient as isTransientKafka } from "./io/kafka-errors.ts";
import { cacheObjects } from "./io/object-cache.ts";
import { isTransient as isTransientObjects, openObjects } from "./io/objects.ts";
import { isTransient as isTransientPostgres, openDatabase } from "./io/postgres.ts";
import { listenTo } from "./io/postgres-notices.ts";
import { RegistryAway, createRegistry } from "./io/registry.ts";
import type { RunningTelemetry } from "./io/telemetry.ts";
import { createTelemetry } from "./io/telemetry.ts";
import { applyTopics } from "./ops/topics-apply.ts";
import { migrate } from "./ops/migrate.ts";

export const VERSION = "0.1.0";
export const systemClock: Clock = { now: () => Date.now() };

const CACHE_BYTES = 128 << 20;

/** A cause that passes: wait and try again. Everything else is a bug or a refusal. */
export const isTransient = (error: unknown): boolean =>
  error instanceof RegistryAway ||
  error instanceof NotRegistered ||
  isTransientPostgres(error) ||
  isTransientKafka(error) ||
  isTransientObjects(error);

/** Every external system under this configuration. Nothing connects before it is used. */
export const connect = (config: Config, role: string, telemetry: RunningTelemetry = silent(config, role)) => {
  const log = (event: string, fields: Record<string, unknown>): void => telemetry.warn(event, fields);
  const kafka = createKafka({
    brokers: config.brokers,
    clientId: `health-sync-${role}`,
    log,
    security: config.kafkaSecurity,
    client: config.kafkaClient,
  });
  const registry = createRegistry(config.registryUrl, config.registrySecurity);
  const declared = declaredTopics({ prefix: config.prefix });
  return {
    config,
    telemetry,
    clock: systemClock,
    owner: `${hostname()}-${process.pid}`,
    topics: topicNames(config.prefix),
    kafka,
    registry,
    declared,
    codec: createCodec(registry, declared),
    openDatabase: (max = 10) =>
      openDatabase({
        url: config.databaseUrl,
        max,
        application_name: `health-sync-${role}`,
        // A writing transaction waits for nothing but Postgres: one that idles belongs to a stopped process.
        idle_in_transaction_timeout_ms: 15_000,
        log,
      }),
    /** Calls are made when something was announced; `ask` goes over another connection than the listening one. */
    listen: (db: Database, calls: Parameters<typeof listenTo>[1]) =>
      listenTo(
        {
          url: config.databaseUrl,
          application_name: `health-sync-${role}-listening`,
          ask: (text, params) => db.query(text, params),
          log,
        },
        calls,
      ),
    openObjects: () => {
      const objects = openObjects({ ...config.objects, log });
      return { ...objects, ...cacheObjects(objects, CACHE_BYTES) };
    },
  };
};
export type Connections = ReturnType<typeof connect>;

const silent = (config: Config, role: string): RunningTelemetry =>
  createTelemetry({ level: config.logLevel === "info" ? "error" : config.logLevel, role });

const createSchema = async ({ config }: Connections): Promise<string> => {
  const db = openDatabase({ url: config.databaseUrl, max: 2, statement_timeout_ms: 0 });
  try {
    const { version } = await migrate(db);
    return `schema at ${version}`;
  } finally {
    await db.close();
  }
};

const createTopics = async ({ kafka, registry, declared }: Connections): Promise<string> => {
  const { changes } = await applyTopics({ topics: kafka.topics(), subjects: registry }, declared);
  return changes.length === 0 ? "topics as declared" : `${changes.length} topics and subjects applied`;
};

const createBucket = async ({ config }: Connections): Promise<string> => {
  const objects = openObjects(config.objects);
  await objects.ensureBucket().finally(() => objects.close());
  return `bucket ${config.objects.bucket} there`;
};

/**
 * Applies topics and subjects, migrates, creates the bucket: `serve --setup`. Topics first, because the edge needs
 * nothing else. Throws with the reason of a refusal.
 */
export const setUp = async (connections: Connections, say: (line: string) => void): Promise<void> => {
  for (const create of [createTopics, createSchema, createBucket]) say(await create(connections));
};
