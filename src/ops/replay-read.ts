import { laneKey } from "../flow/lanes.ts";
import type { FetchedBatch, GroupConsumer, RawRecord } from "../flow/ports.ts";
import type { Range } from "./replay-plan.ts";

export type RangeReader = {
  /** Hands over every record of the ranges, a topic partition's in order, one batch after the other. */
  read(ranges: readonly Range[], take: (records: RawRecord[]) => Promise<void>): Promise<void>;
  close(): Promise<void>;
};

type Reading = {
  next: Map<string, Range & { at: number }>;
  take: (records: RawRecord[]) => Promise<void>;
  ended: PromiseWithResolvers<void>;
};

/** Reads ranges of a log without any position: what a preview needs. The group commits nothing. */
export const openRangeReader = async (consumer: GroupConsumer): Promise<RangeReader> => {
  let reading: Reading | null = null;
  let assigned = new Set<string>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);

  const go = (range: Range & { at: number }): void => {
    if (!assigned.has(laneKey(range))) return;
    consumer.seek(range, range.at);
    consumer.resume([range]);
  };
  const work = async (current: Reading, range: Range & { at: number }, batch: FetchedBatch): Promise<void> => {
    const records = batch.records.filter((record) => record.offset >= range.at && record.offset < range.to);
    if (records.length > 0) await current.take(records);
    // What lies behind the range proves that nothing of it is left.
    range.at = (batch.records.at(-1)?.offset ?? range.at - 1) + 1;
    if (range.at < range.to) return go(range);
    current.next.delete(laneKey(range));
    if (current.next.size === 0) current.ended.resolve();
  };
  let last: Promise<void> = Promise.resolve();
  await consumer.start({
    assigned: (partitions) => {
      assigned = new Set(partitions.map(laneKey));
      for (const range of reading?.next.values() ?? []) go(range);
    },
    batch: (batch) => {
      consumer.pause([batch]);
      const current = reading;
      const range = current?.next.get(laneKey(batch));
      if (!current || !range) return;
      if (batch.fetched_from !== range.at) return go(range);
      last = last.then(() => work(current, range, batch)).catch(failed.reject);
    },
    suspect: () => failed.reject(new Error("records were removed from the log while they were read: start again")),
    fetched: () => undefined,
    crashed: failed.reject,
  });
  return {
    read: async (ranges, take) => {
      if (ranges.length === 0) return;
      const next = new Map(ranges.map((range) => [laneKey(range), { ...range, at: range.from }]));
      reading = { next, take, ended: Promise.withResolvers<void>() };
      for (const range of next.values()) go(range);
      await Promise.race([reading.ended.promise, failed.promise]).finally(() => (reading = null));
    },
    close: () => consumer.stop(),
  };
};
