import kafkajs from "kafkajs";
import type { IHeaders, ICustomPartitioner, KafkaMessage, Message, RecordMetadata, TopicMessages } from "kafkajs";
import type { OutgoingRecord, RawRecord, TopicPartition, Written } from "../flow/ports.ts";
import { Unanswered } from "./kafka-errors.ts";

/** A broker refuses a record batch over 1 MB; counted before compression, so that no batch can be too large by surprise. */
const MAX_REQUEST_BYTES = 900_000;
const MAX_REQUEST_RECORDS = 1000;
const RECORD_OVERHEAD_BYTES = 70;

/** Of a record in a request, before compression. */
export const sizeOf = (record: OutgoingRecord): number => {
  let bytes = RECORD_OVERHEAD_BYTES + (record.value?.length ?? 0) + (record.key?.length ?? 0);
  for (const name in record.headers) bytes += name.length + (record.headers[name]?.length ?? 0);
  return bytes;
};

/** Whether a broker takes so much in one request. */
export const fits = (bytes: number, records: number): boolean =>
  bytes <= MAX_REQUEST_BYTES && records <= MAX_REQUEST_RECORDS;

/** Cuts a send into requests that a broker takes. Sent one after the other, they keep the order within each key. */
export function requests(records: readonly OutgoingRecord[]): OutgoingRecord[][] {
  const out: OutgoingRecord[][] = [];
  let current: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const more = sizeOf(record);
    if (current.length > 0 && !fits(bytes + more, current.length + 1)) {
      out.push(current);
      current = [];
      bytes = 0;
    }
    current.push(record);
    bytes += more;
  }
  if (current.length > 0) out.push(current);
  return out;
}

/**
 * murmur2 of the whole key as every Kafka client has it, null keys round-robin. The choice is noted on the message:
 * a retry inside kafkajs keeps it, and the answer can be read against it.
 */
export const notingPartitioner: ICustomPartitioner = () => {
  const choose = kafkajs.Partitioners.DefaultPartitioner();
  return (args) => {
    const partition = choose(args);
    args.message.partition = partition;
    return partition;
  };
};

/** Where every client puts a key, of so many topic partitions. */
export function partitionOfKey(key: string, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return kafkajs.Partitioners.DefaultPartitioner()({ topic: "", partitionMetadata, message: { key, value: null } });
}

/** A record as kafkajs takes it; the partitioner notes on it where it goes. */
export type Outgoing = Message & { topic: string };

export const outgoing = (records: readonly OutgoingRecord[]): Outgoing[] =>
  records.map(({ topic, key, value, headers }) => ({
    topic,
    key,
    value: value === null ? null : asBuffer(value),
    ...(headers ? { headers } : {}),
  }));

export const byTopic = (messages: readonly Outgoing[]): TopicMessages[] =>
  [...Map.groupBy(messages, ({ topic }) => topic)].map(([topic, own]) => ({ topic, messages: own }));

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where a record stands. */
export type Placed = TopicPartition & { offset: number };

/** Where the first record of a request stands in a topic partition. */
type Base = { topic: string; partition: number; offset: number };

export const bases = (answers: readonly RecordMetadata[]): Base[] =>
  answers.flatMap(({ topicName, partition, baseOffset, errorCode }) =>
    baseOffset === undefined || errorCode !== 0 ? [] : [{ topic: topicName, partition, offset: Number(baseOffset) }],
  );

/**
 * Where each record of one request stands: those of a topic partition follow one another in their order.
 * Throws when a partition has no answer: after a leader moves in the middle of a send, kafkajs can
 * resolve although it never sent that partition's records.
 */
export function placed(
  sent: readonly { topic: string; partition?: number | undefined }[],
  answered: readonly Base[],
): Placed[] {
  const next = new Map(answered.map(({ topic, partition, offset }) => [`${topic}|${partition}`, offset]));
  return sent.map(({ topic, partition }) => {
    if (partition === undefined) throw new Error(`a record for ${topic} was never given a topic partition`);
    const offset = next.get(`${topic}|${partition}`) ?? -1;
    if (offset < 0) {
      throw new Unanswered(`no acknowledgement for ${topic} partition ${partition}: whether it was written is unknown`);
    }
    next.set(`${topic}|${partition}`, offset + 1);
    return { topic, topic_partition: partition, offset };
  });
}

/** The last offset per topic partition: requests of one send are made in order. */
export function latest(all: readonly Placed[]): Written[] {
  const last = new Map<string, Written>();
  for (const { topic, topic_partition, offset } of all)
    last.set(`${topic}|${topic_partition}`, { topic, topic_partition, last_offset: offset });
  return [...last.values()];
}

export const rawRecord = (at: TopicPartition, message: KafkaMessage): RawRecord => ({
  topic: at.topic,
  topic_partition: at.topic_partition,
  offset: Number(message.offset),
  timestamp: Number(message.timestamp),
  key: message.key,
  value: message.value,
  headers: plainHeaders(message.headers),
});

function plainHeaders(headers: IHeaders | undefined): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name in headers) {
    const sent = headers[name];
    const last = Array.isArray(sent) ? sent.at(-1) : sent;
    if (last !== undefined) out[name] = last.toString();
  }
  return out;
}
