import { IS_CONTROL } from "@platformatic/kafka";
import type { KafkaRecord, RecordsBatch, fetchV17 } from "@platformatic/kafka";
import type { OutgoingRecord, RawRecord, TopicPartition } from "../flow/ports.ts";
import { Unanswered } from "./kafka-errors.ts";
import { partitionOfKey } from "./kafka-records.ts";

export type Outgoing = {
  topic: string;
  partition: number;
  key?: Buffer;
  value: Buffer;
  headers?: Map<Buffer, Buffer>;
};

/** Where each record of a topic goes, of so many topic partitions. */
export type Partitioner = (topic: string, key: string | null) => number;

/** As kafkajs and every other client places keys (this one's own choice differs), null keys round-robin. */
export function partitioner(counts: ReadonlyMap<string, number>, from = 0): Partitioner {
  const known = new Map<string, number>();
  let next = from;
  return (topic, key) => {
    const count = counts.get(topic);
    if (count === undefined || count === 0) throw new Unanswered(`${topic} has no topic partitions yet`);
    if (key === null) return next++ % count;
    const asked = `${count}|${key}`;
    const partition = known.get(asked) ?? partitionOfKey(key, count);
    known.set(asked, partition);
    return partition;
  };
}

/** Its type knows no tombstones, its encoder does: an absent value is a null. */
const tombstone = undefined as unknown as Buffer;

export const outgoing = (records: readonly OutgoingRecord[], place: Partitioner): Outgoing[] =>
  records.map(({ topic, key, value, headers }) => ({
    topic,
    partition: place(topic, key),
    ...(key === null ? {} : { key: Buffer.from(key) }),
    value: value === null ? tombstone : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    ...(headers ? { headers: headerBytes(headers) } : {}),
  }));

const headerBytes = (headers: Readonly<Record<string, string>>): Map<Buffer, Buffer> =>
  new Map(Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]));

type Answer = { topic: string; partition: number; offset: bigint };

export const bases = (answers: readonly Answer[]) =>
  answers.map(({ topic, partition, offset }) => ({ topic, partition, offset: Number(offset) }));

type Fetched = Pick<fetchV17.FetchResponsePartition, "abortedTransactions"> & { records?: RecordsBatch[] | null };

/** What a partition's answer holds from an offset on: committed records, and where the next fetch would begin. */
export function readable(at: TopicPartition, answer: Fetched, from: number): { records: RawRecord[]; next: number } {
  const batches = answer.records ?? [];
  const records: RawRecord[] = [];
  let next = from;
  const rolledBack = rolledBackBatches(batches, answer.abortedTransactions ?? []);
  for (const batch of batches) {
    const first = Number(batch.firstOffset);
    next = Math.max(next, first + batch.lastOffsetDelta + 1);
    if ((batch.attributes & IS_CONTROL) !== 0 || rolledBack.has(batch)) continue;
    for (const record of batch.records) {
      // A whole record batch comes, also where only its end was asked for.
      const offset = first + record.offsetDelta;
      if (offset >= from) records.push(rawRecord({ at, batch, record, offset }));
    }
  }
  return { records, next };
}

type Aborted = { producerId: bigint; firstOffset: bigint };

/**
 * Of transactions that were rolled back. The client's own filter forgets one whose marker is not in this answer, or whose
 * producer rolled back twice in it.
 */
function rolledBackBatches(batches: readonly RecordsBatch[], aborted: readonly Aborted[]): Set<RecordsBatch> {
  const out = new Set<RecordsBatch>();
  if (aborted.length === 0) return out;
  const waiting = aborted.toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  const open = new Set<bigint>();
  for (const batch of batches) {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    while (waiting[0] !== undefined && waiting[0].firstOffset <= last) open.add(waiting.shift()?.producerId ?? -1n);
    if ((batch.attributes & IS_CONTROL) !== 0) open.delete(batch.producerId);
    else if (open.has(batch.producerId)) out.add(batch);
  }
  return out;
}

/** A record batch's timestamps are the broker's: its records all have that of the batch. */
const LOG_APPEND_TIME = 1 << 3;

type Place = { at: TopicPartition; batch: RecordsBatch; record: KafkaRecord; offset: number };

const rawRecord = ({ at, batch, record, offset }: Place): RawRecord => ({
  topic: at.topic,
  topic_partition: at.topic_partition,
  offset,
  timestamp: Number(
    (batch.attributes & LOG_APPEND_TIME) === 0 ? batch.firstTimestamp + record.timestampDelta : batch.maxTimestamp,
  ),
  key: record.key,
  value: record.value,
  headers: plainHeaders(record.headers),
});

function plainHeaders(headers: KafkaRecord["headers"]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of headers) if (name !== null && value !== null) out[name.toString()] = value.toString();
  return out;
}
