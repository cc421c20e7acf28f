import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import avsc from "avsc";
import kafkajs, { type Consumer, type KafkaMessage } from "kafkajs";
import type { AuditEnvironment } from "./environment.ts";
import type { TopicRecord } from "./stored.ts";

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
const STALLED_MS = 20_000;

CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: (encoder: { buffer: Buffer }) => promisify(zstdCompress)(encoder.buffer),
  decompress: (buffer: Buffer) => promisify(zstdDecompress)(buffer),
});

export const kafkaClient = (env: AuditEnvironment): InstanceType<typeof Kafka> =>
  new Kafka({ brokers: env.kafkaBrokers, clientId: "health-sync-audit", logLevel: logLevel.NOTHING });

type Decode = (bytes: Buffer) => Promise<Record<string, unknown>>;

/** Confluent framing, the writer's schema from the registry by its id. */
const decoder = (registryUrl: string): Decode => {
  const types = new Map<number, Promise<avsc.Type>>();
  const load = async (id: number): Promise<avsc.Type> => {
    const answer = await fetch(`${registryUrl}/schemas/ids/${id}`);
    if (!answer.ok) throw new Error(`the registry answers ${answer.status} for schema ${id}`);
    const { schema } = (await answer.json()) as { schema: string };
    return avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema);
  };
  return async (bytes) => {
    if (bytes[0] !== 0) throw new Error("a record of one of our topics has no Confluent frame");
    const id = bytes.readUInt32BE(1);
    const type = types.get(id) ?? load(id);
    types.set(id, type);
    return { ...((await type).fromBuffer(bytes.subarray(5)) as Record<string, unknown>) };
  };
};

const headerNumber = (message: KafkaMessage, name: string): number | null => {
  const header = message.headers?.[name];
  return header === undefined ? null : Number(header.toString());
};

/** Runs until every topic partition was read to the end that it had when asked; control records count as read. */
const drain = async (consumer: Consumer, ends: Map<string, number>, take: (m: Taken) => void): Promise<void> => {
  let progressed = Date.now();
  const done = new Set<string>();
  const finished = Promise.withResolvers<undefined>();
  const timer = setInterval(() => {
    if (Date.now() - progressed > STALLED_MS)
      finished.reject(new Error(`${ends.size - done.size} topic partitions give nothing more before their end`));
  }, 500);
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    const name = `${payload.topic}/${payload.partition}`;
    progressed = Date.now();
    if (payload.lastOffset !== null && Number(payload.lastOffset) >= (ends.get(name) ?? 0) - 1) done.add(name);
    if ([...ends.keys()].every((n) => done.has(n))) finished.resolve(undefined);
  });
  try {
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: ({ batch }) => {
        for (const message of batch.messages) take({ topic: batch.topic, partition: batch.partition, message });
        return Promise.resolve();
      },
    });
    await finished.promise;
  } finally {
    clearInterval(timer);
  }
};
type Taken = { topic: string; partition: number; message: KafkaMessage };

const readAll = async (env: AuditEnvironment, topics: readonly string[]): Promise<Taken[]> => {
  const kafka = kafkaClient(env);
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map<string, number>();
  for (const topic of topics) {
    for (const p of await admin.fetchTopicOffsets(topic)) {
      if (Number(p.high) > Number(p.low)) ends.set(`${topic}/${p.partition}`, Number(p.high));
    }
  }
  const taken: Taken[] = [];
  const groupId = `health-sync-audit-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  try {
    if (ends.size === 0) return [];
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await drain(consumer, ends, (m) => taken.push(m));
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect();
  }
  return taken;
};

/** All committed records of `names` (without prefix) that exist, decoded. Throws where a topic stalls before its end. */
export const readTopics = async (
  env: AuditEnvironment,
  names: readonly string[],
): Promise<Map<string, TopicRecord[]>> => {
  const admin = kafkaClient(env).admin();
  await admin.connect();
  const existing = new Set(await admin.listTopics());
  await admin.disconnect();
  const full = (name: string): string => `${env.topicPrefix}health.${name}.v1`;
  const present = names.filter((name) => existing.has(full(name)));
  const out = new Map<string, TopicRecord[]>(present.map((name) => [full(name), []]));
  const decode = decoder(env.registryUrl);
  for (const { topic, partition, message } of await readAll(env, present.map(full))) {
    out.get(topic)?.push({
      topic_partition: partition,
      offset: Number(message.offset),
      key: message.key?.toString() ?? null,
      value: message.value ? await decode(message.value) : null,
      revision_header: headerNumber(message, "revision"),
    });
  }
  return new Map(present.map((name) => [name, out.get(full(name)) ?? []]));
};
