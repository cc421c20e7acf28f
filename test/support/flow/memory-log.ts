import type { FetchedBatch, GroupConsumer, LogInfo, RawRecord, TopicPartition } from "../../../src/flow/ports.ts";

export const TOPIC = "log";
export const at = (topic_partition: number): TopicPartition => ({ topic: TOPIC, topic_partition });

/** One topic as arrays of records; `low` is the first offset still there. */
export class MemoryLog implements LogInfo {
  cluster = "cluster-1";
  readonly partitions: { low: number; records: RawRecord[] }[];
  /** Awaited by the next answer of `bounds`. */
  hold: Promise<void> | null = null;

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, () => ({ low: 0, records: [] }));
  }

  append(partition: number, text = ""): void {
    const records = this.#of(partition).records;
    const offset = records.length;
    const value = Buffer.from(`${partition}/${offset}${text}`);
    records.push({ ...at(partition), offset, timestamp: 1_000 + offset, key: null, value, headers: {} });
  }

  end(partition: number): number {
    return this.#of(partition).records.length;
  }

  low(partition: number): number {
    return this.#of(partition).low;
  }

  removeBelow(partition: number, low: number): void {
    this.#of(partition).low = low;
  }

  /** The topic deleted and made again, with other records. */
  recreate(partition: number, count: number): void {
    this.partitions[partition] = { low: 0, records: [] };
    for (let n = 0; n < count; n += 1) this.append(partition, "again");
  }

  read(partition: number, from: number, max: number): FetchedBatch {
    const { records } = this.#of(partition);
    return {
      ...at(partition),
      fetched_from: from,
      records: records.slice(from, from + max),
      high_watermark: records.length,
    };
  }

  async bounds(topic: string): Promise<Map<number, { low: number; high: number }>> {
    const seen = this.partitions.map(({ low, records }, n) => [n, { low, high: records.length }] as const);
    await this.hold;
    return new Map(topic === TOPIC ? seen : []);
  }

  clusterId(): Promise<string> {
    return Promise.resolve(this.cluster);
  }

  #of(partition: number): { low: number; records: RawRecord[] } {
    const found = this.partitions[partition];
    if (!found) throw new Error(`no partition ${partition}`);
    return found;
  }
}

type Callbacks = Parameters<GroupConsumer["start"]>[0];

/** A group member that does only what the test tells it: assigns, fetches, loses its place. */
export class ScriptedConsumer implements GroupConsumer {
  callbacks: Callbacks | null = null;
  stopped = false;
  /** Records that one fetch brings at most. */
  max = 3;
  readonly committed = new Map<number, number>();
  readonly #log: MemoryLog;
  readonly #assigned = new Set<number>();
  readonly #open = new Set<number>();
  readonly #next = new Map<number, number>();

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  start(callbacks: Callbacks): Promise<void> {
    this.callbacks = callbacks;
    return Promise.resolve();
  }
  seek({ topic_partition }: TopicPartition, offset: number): void {
    this.#next.set(topic_partition, offset);
  }
  pause(partitions: readonly TopicPartition[]): void {
    for (const { topic_partition } of partitions) this.#open.delete(topic_partition);
  }
  resume(partitions: readonly TopicPartition[]): void {
    for (const { topic_partition } of partitions) this.#open.add(topic_partition);
  }
  commit({ topic_partition }: TopicPartition, position: number): void {
    this.committed.set(topic_partition, position);
  }
  stop(): Promise<void> {
    this.stopped = true;
    return Promise.resolve();
  }

  assign(partitions: readonly number[]): void {
    this.#assigned.clear();
    this.#open.clear();
    for (const partition of partitions) this.#assigned.add(partition);
    this.callbacks?.assigned(partitions.map(at));
  }

  isOpen(partition: number): boolean {
    return this.#assigned.has(partition) && this.#open.has(partition);
  }

  /** What the client's loop does: one fetch of one topic partition from where it was told, if it may. */
  fetch(partition: number): void {
    this.callbacks?.fetched();
    if (!this.isOpen(partition)) return;
    const from = this.#next.get(partition) ?? 0;
    if (from < this.#log.low(partition) || from > this.#log.end(partition)) {
      this.callbacks?.suspect(at(partition));
      return;
    }
    const batch = this.#log.read(partition, from, this.max);
    if (batch.records.length > 0) this.callbacks?.batch(batch);
  }

  /** A batch that was under way when the assignment or the place changed. */
  stray(partition: number, from: number): void {
    this.callbacks?.batch(this.#log.read(partition, Math.min(from, this.#log.end(partition)), this.max));
  }
}
