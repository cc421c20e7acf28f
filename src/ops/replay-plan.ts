import type { Instant } from "../domain/sample.ts";
import type { TopicPartition } from "../flow/ports.ts";

/** The topics that hold samples: what a replay can read. */
export const REPLAYED = ["samples", "sleep", "backfill"] as const;
export type ReplayedTopic = (typeof REPLAYED)[number];

export type OffsetMark = { topic: ReplayedTopic; topic_partition: number; offset: number };

/** Which records: all conditions together. `from` and `to` name topic partitions, and then only these are read. */
export type Asked = {
  topics: readonly ReplayedTopic[];
  /** Broker time of a record: since inclusive, until exclusive. */
  since: Instant | null;
  until: Instant | null;
  from: readonly OffsetMark[];
  to: readonly OffsetMark[];
  athletes: readonly string[] | null;
  metrics: readonly string[] | null;
};

export type Range = TopicPartition & { from: number; to: number };

/** What was asked for and the log no longer holds. `records`: how many, where offsets tell it. */
export type Missing = TopicPartition & { begins: number; records: number | null };

export type TopicLog = {
  name: ReplayedTopic;
  topic: string;
  bounds: ReadonlyMap<number, { low: number; high: number }>;
  /** First offset at or after the time, by topic partition; null where no time was asked for. */
  since: ReadonlyMap<number, number> | null;
  until: ReadonlyMap<number, number> | null;
};

export type ReplayPlan = { ranges: Range[]; missing: Missing[] };

const markOf = (marks: readonly OffsetMark[], name: ReplayedTopic, partition: number): number | undefined =>
  marks.find((mark) => mark.topic === name && mark.topic_partition === partition)?.offset;

const missingOf = (place: TopicPartition, low: number, wanted: { from: number; bySince: boolean }): Missing[] => {
  if (wanted.from < low) return [{ ...place, begins: low, records: low - wanted.from }];
  // The first record left is of that time or later: whether others of that time stood before it, nobody knows.
  return wanted.bySince && wanted.from === low && low > 0 ? [{ ...place, begins: low, records: null }] : [];
};

/**
 * The ranges to read, ends fixed now, and what is gone from the log. `partitions`: those that hold the athletes asked
 * for, of a topic with so many. Throws RangeError for a topic partition that is not there.
 */
export const planReplay = (
  asked: Asked,
  logs: readonly TopicLog[],
  partitions: (count: number) => ReadonlySet<number> | null,
): ReplayPlan => {
  const plan: ReplayPlan = { ranges: [], missing: [] };
  const marks = [...asked.from, ...asked.to];
  for (const { topic, topic_partition } of marks) {
    if (logs.some((log) => log.name === topic && log.bounds.has(topic_partition))) continue;
    throw new RangeError(`there is no topic partition ${topic}/${topic_partition} among the topics asked for`);
  }
  for (const log of logs) {
    const chosen = partitions(log.bounds.size);
    for (const [topic_partition, { low, high }] of [...log.bounds].toSorted(([a], [b]) => a - b)) {
      if (chosen && !chosen.has(topic_partition)) continue;
      if (marks.length > 0 && !marks.some((m) => m.topic === log.name && m.topic_partition === topic_partition)) {
        continue;
      }
      const place = { topic: log.topic, topic_partition };
      const since = log.since?.get(topic_partition) ?? 0;
      const from = Math.max(since, markOf(asked.from, log.name, topic_partition) ?? 0);
      plan.missing.push(...missingOf(place, low, { from, bySince: log.since !== null }));
      const until = Math.min(log.until?.get(topic_partition) ?? high, high);
      const to = Math.min(until, markOf(asked.to, log.name, topic_partition) ?? high);
      if (Math.max(from, low) < to) plan.ranges.push({ ...place, from: Math.max(from, low), to });
    }
  }
  return plan;
};

/** Whether a beginning was named, so that records missing at it are part of what was asked for. */
export const namesBeginning = (asked: Asked): boolean => asked.since !== null || asked.from.length > 0;

export const recordsIn = (ranges: readonly Pick<Range, "from" | "to">[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from, 0);
