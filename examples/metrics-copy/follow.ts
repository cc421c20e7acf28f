import { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import type { AthleteMetric } from "health-sync/records";
import { type EachBatchPayload, Kafka, type KafkaMessage, logLevel } from "kafkajs";
import { type Copy, type MetricRecord } from "./copy.ts";

export type Followed = {
  /** Resolves once the copy holds everything that stood on the topic at the start. */
  caughtUp: Promise<void>;
  stop(): Promise<void>;
};

export type From = { brokers: string[]; registryUrl: string; topic: string; group: string };

/** A partition that has sent nothing for so long is at its end: behind the last record may stand a marker that no client sees. */
const QUIET_MS = 10_000;
const HEARTBEAT_MS = 60_000;

const recordOf = async (registry: SchemaRegistry, message: KafkaMessage): Promise<MetricRecord> => {
  const key = message.key?.toString() ?? "";
  if (message.value === null) return { key, revision: Number(message.headers?.["revision"]?.toString()), value: null };
  const value = (await registry.decode(message.value)) as AthleteMetric;
  return { key, revision: value.revision, value };
};

/** Which partitions have not yet come to the end that they had at the start. */
const createProgress = (ends: ReadonlyMap<number, number>, done: () => void) => {
  const open = new Map([...ends].filter(([, end]) => end > 0).map(([partition]) => [partition, Date.now()]));
  const close = (partition: number): void => {
    open.delete(partition);
    if (open.size === 0) done();
  };
  if (open.size === 0) done();
  return {
    reached: (partition: number, next: number): void => {
      if (open.has(partition)) open.set(partition, Date.now());
      if (next >= (ends.get(partition) ?? 0)) close(partition);
    },
    look: (): void => {
      for (const [partition, since] of open) if (Date.now() - since > QUIET_MS) close(partition);
    },
  };
};

const endsOf = async (kafka: Kafka, topic: string): Promise<Map<number, number>> => {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  // A partition whose start is its end holds nothing.
  return new Map(offsets.map(({ partition, low, high }) => [partition, low === high ? 0 : Number(high)]));
};

/**
 * Follows the topic into the copy. Each reading has a consumer group of its own, so that a new one begins at the start;
 * records are applied before Kafka hears of it, and a record that comes twice changes nothing.
 */
export const follow = async (copy: Copy, from: From): Promise<Followed> => {
  const kafka = new Kafka({ brokers: from.brokers, clientId: from.group, logLevel: logLevel.NOTHING });
  const registry = new SchemaRegistry({ host: from.registryUrl });
  const caughtUp = Promise.withResolvers<void>();
  const ends = await endsOf(kafka, from.topic);
  const consumer = kafka.consumer({ groupId: `${from.group}-${copy.reading}` });
  consumer.on("consumer.crash", ({ payload }) => caughtUp.reject(payload.error));
  await consumer.connect();
  await consumer.subscribe({ topic: from.topic, fromBeginning: true });
  const joined = new Promise<void>((resolve) => consumer.on("consumer.group_join", () => resolve()));
  let progress: ReturnType<typeof createProgress> | null = null;
  const eachBatch = async ({ batch }: EachBatchPayload): Promise<void> => {
    copy.apply(await Promise.all(batch.messages.map((message) => recordOf(registry, message))), Date.now());
    progress?.reached(batch.partition, Number(batch.lastOffset()) + 1);
  };
  await consumer.run({ eachBatch });
  await joined;
  progress = createProgress(ends, () => {
    copy.caughtUp();
    caughtUp.resolve();
  });
  const looking = setInterval(() => progress?.look(), 1_000);
  const living = setInterval(() => copy.apply([], Date.now()), HEARTBEAT_MS);
  return {
    caughtUp: caughtUp.promise,
    stop: async () => {
      clearInterval(looking);
      clearInterval(living);
      await consumer.disconnect();
    },
  };
};
