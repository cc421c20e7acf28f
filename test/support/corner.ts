import { afterAll } from "vitest";
import { readConfig } from "../../src/config.ts";
import { topicNames } from "../../src/flow/topics.ts";
import { createCodec } from "../../src/io/avro-codec.ts";
import { declaredTopics } from "../../src/io/avro-declared.ts";
import { createKafka } from "../../src/io/kafka-client.ts";
import { openObjects } from "../../src/io/objects.ts";
import { openDatabase } from "../../src/io/postgres.ts";
import { createRegistry } from "../../src/io/registry.ts";
import { createTelemetry } from "../../src/io/telemetry.ts";
import { applyTopics } from "../../src/ops/topics-apply.ts";
import type { Isolated } from "./stack.ts";

/** Ports on a corner of the stack, closed after the file's tests. Topics have few partitions, to be made faster. */
export const openCorner = async (here: Isolated, partitions = 2) => {
  const client = readConfig(process.env).kafkaClient;
  const kafka = createKafka({ brokers: here.env.KAFKA_BROKERS.split(","), clientId: here.prefix, client });
  const registry = createRegistry(here.env.SCHEMA_REGISTRY_URL);
  const declared = declaredTopics({ prefix: here.prefix, partitions });
  const db = openDatabase({ url: here.databaseUrl });
  const objects = openObjects({
    endpoint: here.env.S3_ENDPOINT,
    bucket: here.bucket,
    region: here.env.S3_REGION,
    accessKeyId: here.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: here.env.AWS_SECRET_ACCESS_KEY,
  });
  afterAll(async () => {
    objects.close();
    await db.close();
  });
  return {
    kafka,
    db,
    objects,
    codec: createCodec(registry, declared),
    topics: topicNames(here.prefix),
    logInfo: kafka.logInfo(),
    telemetry: createTelemetry({ level: "silent", role: "test" }),
    clock: { now: () => Date.now() },
    applyTopics: () => applyTopics({ topics: kafka.topics(), subjects: registry }, declared),
  };
};
export type Corner = Awaited<ReturnType<typeof openCorner>>;
