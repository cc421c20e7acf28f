import { afterAll } from "vitest";
import type { OutgoingRecord, RawRecord, Written } from "../../src/flow/ports.ts";
import { createKafka } from "../../src/io/kafka-client.ts";
import type { KafkaClient } from "../../src/io/kafka-client.ts";
import { makeMember, until } from "./kafka-member.ts";
import type { Member } from "./kafka-member.ts";
import { isolated } from "./stack.ts";

/** The libraries that pass the same contract. */
export const CLIENTS = ["kafkajs", "platformatic"] as const;
type Client = (typeof CLIENTS)[number];

/** A corner of the stack's Kafka for one test file: names of its own, all closed and removed after its tests. */
export type KafkaCorner = {
  client: Client;
  kafka: KafkaClient;
  prefix: string;
  registryUrl: string;
  /** Creates a topic as ours are, and answers its name. */
  topic(name: string, partitions?: number, config?: Record<string, string>): Promise<string>;
  member(group: string, topics: string[]): Member;
  produce(records: readonly OutgoingRecord[]): Promise<Written[]>;
  /** All records of a topic partition, from the first to the end as it is now. Committed ones only. */
  readAll(topic: string, topicPartition?: number): Promise<RawRecord[]>;
};

export async function kafkaCorner(name: string, client: Client = "kafkajs"): Promise<KafkaCorner> {
  const { prefix, env } = await isolated(name);
  const kafka = createKafka({ brokers: env.KAFKA_BROKERS.split(","), clientId: `${prefix}test`, client });
  const producer = kafka.producer();
  const members: Member[] = [];
  afterAll(async () => {
    await Promise.all([producer.close(), ...members.map((member) => member.stop())]);
  });
  const corner: KafkaCorner = {
    client,
    kafka,
    prefix,
    registryUrl: env.SCHEMA_REGISTRY_URL,
    async topic(short, partitions = 1, config = {}) {
      const topic = prefix + short;
      const settings = { "compression.type": "zstd", "message.timestamp.type": "LogAppendTime", ...config };
      await kafka.topics().create([{ name: topic, partitions, replicas: 1, config: settings }]);
      await kafka.topics().ready(new Map([[topic, partitions]]));
      return topic;
    },
    member(group, topics) {
      const member = makeMember(kafka, { group: prefix + group, topics, heartbeatMs: 500 });
      members.push(member);
      return member;
    },
    produce: (records) => producer.send(records),
    readAll: (topic, topicPartition = 0) => readAll(corner, topic, topicPartition),
  };
  return corner;
}

/** A corner a library, for the tests that every one must pass. */
export async function kafkaCorners(name: string): Promise<KafkaCorner[]> {
  const corners: KafkaCorner[] = [];
  for (const client of CLIENTS) corners.push(await kafkaCorner(`${name}-${client}`, client));
  return corners;
}

let readers = 0;

async function readAll(corner: KafkaCorner, topic: string, topicPartition: number): Promise<RawRecord[]> {
  const bounds = (await corner.kafka.logInfo().bounds(topic)).get(topicPartition);
  const { low, high } = bounds ?? { low: 0, high: 0 };
  if (low === high) return [];
  const out: RawRecord[] = [];
  const member = corner.member(`reader-${readers++}`, [topic]);
  let next = low;
  let answered = 0;
  member.on.assigned = () => {
    member.seek({ topic, topic_partition: topicPartition }, low);
    member.resume([{ topic, topic_partition: topicPartition }]);
  };
  member.on.batch = (batch) => {
    if (batch.fetched_from !== next) return;
    out.push(...batch.records);
    next = (out.at(-1)?.offset ?? next - 1) + 1;
    answered = member.fetches;
    member.seek(batch, next);
  };
  await member.begin();
  // The last offsets may be markers of transactions, which no consumer is shown.
  await until(`${topic}/${topicPartition} to be read`, () => next >= high || member.fetches > answered + 10);
  await member.stop();
  return out;
}
