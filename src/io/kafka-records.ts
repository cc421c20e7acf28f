import kafkajs from "kafkajs";
import type { IHeaders, ICustomPartitioner, KafkaMessage, Message, RecordMetadata, TopicMessages } from "kafkajs";
import type { OutgoingRecord, RawRecord, TopicPartition, Written } from "../flow/ports.ts";
import { Unanswered } from "./kafka-errors.ts";

/** A broker refuses a record batch over 1 MB; counted before compression, so that no batch can be too large by surprise. */
const MAX_REQUEST_BYTES = 900_000;
const MAX_REQUEST_RECORDS = 1000;
const RECORD_OVERHEAD_BYTES = 70;

const size = (record: OutgoingRecord): number => {
  let bytes = RECORD_OVERHEAD_BYTES + (record.value?.length ?? 0) + (record.key?.length ?? 0);
  for (const name in record.headers) bytes += name.length + (record.headers[name]?.length ?? 0);
  return bytes;
};

/** Cuts a send into requests that a broker takes. Sent one after the other, they keep the order within each key. */
export function requests(records: readonly OutgoingRecord[]): OutgoingRecord[][] {
  const out: OutgoingRecord[][] = [];
  let current: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const more = size(record);
    if (current.length > 0 && (bytes + more > MAX_REQUEST_BYTES || current.length === MAX_REQUEST_RECORDS)) {
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

export function topicMessages(records: readonly OutgoingRecord[]): TopicMessages[] {
  const byTopic = new Map<string, Message[]>();
  for (const { topic, key, value, headers } of records) {
    const messages = byTopic.get(topic);
    const message: Message = { key, value: value === null ? null : asBuffer(value), ...(headers ? { headers } : {}) };
    if (messages) messages.push(message);
    else byTopic.set(topic, [message]);
  }
  return [...byTopic].map(([topic, messages]) => ({ topic, messages }));
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * The last offset per topic partition, from the answers and the partitions noted on the messages.
 * Throws when a partition has no answer: after a leader moves in the middle of a send, kafkajs can
 * resolve although it never sent that partition's records.
 */
export function written(sent: readonly TopicMessages[], answers: readonly RecordMetadata[]): Written[] {
  const bases = new Map(answers.map((answer) => [`${answer.topicName}|${answer.partition}`, answer]));
  const out: Written[] = [];
  for (const { topic, messages } of sent) {
    const counts = new Map<number, number>();
    for (const { partition } of messages) {
      if (partition === undefined) throw new Error(`a record for ${topic} was never given a topic partition`);
      counts.set(partition, (counts.get(partition) ?? 0) + 1);
    }
    for (const [partition, count] of counts) {
      const answer = bases.get(`${topic}|${partition}`);
      if (answer?.baseOffset === undefined || answer.errorCode !== 0)
        throw new Unanswered(
          `no acknowledgement for ${topic} partition ${partition}: whether it was written is unknown`,
        );
      out.push({ topic, topic_partition: partition, last_offset: Number(answer.baseOffset) + count - 1 });
    }
  }
  return out;
}

/** Later answers win: requests of one send are made in order. */
export function latest(parts: readonly Written[]): Written[] {
  const last = new Map<string, Written>();
  for (const part of parts) last.set(`${part.topic}|${part.topic_partition}`, part);
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
