import { dayEnd, dayStart } from "../domain/local-day.ts";
import { summedDays } from "../domain/apportion.ts";
import type { Instant, LocalDate, Sample } from "../domain/sample.ts";
import { stepsMerge } from "../domain/steps-merge.ts";
import { effectiveEnd } from "../domain/interval.ts";
import type { ZoneAt } from "./zone.ts";

export type Figures = { min: number; mean: number; max: number; count: number };
export type DiscreteBucket = { start_at: Instant; end_at: Instant; date: LocalDate | null } & Figures;
export type CumulativeBucket = { start_at: Instant; end_at: Instant; date: LocalDate | null; sum: number };

/** How samples become a sum: merged over sources in the athlete's order of them, or null: plainly added (D13). */
export type SumOrder = readonly string[] | null;

/** Buckets of a fixed length, aligned to the epoch. Milliseconds. */
export const LENGTHS = { "1m": 60_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000 } as const;

/** Aggregates count only on days without samples (D21). */
export const withoutShadowedAggregates = (samples: readonly Sample[]): readonly Sample[] => {
  const measured = new Set<LocalDate>();
  for (const sample of samples) if (sample.attributes.aggregated !== true) measured.add(sample.local_date);
  return samples.filter((sample) => sample.attributes.aggregated !== true || !measured.has(sample.local_date));
};

/** Minimum and maximum also of what a sample itself summarizes. Null of nothing. */
export const figuresOf = (samples: readonly Sample[]): Figures | null => {
  if (samples.length === 0) return null;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const { value, attributes } of samples) {
    min = Math.min(min, attributes.min ?? value);
    max = Math.max(max, attributes.max ?? value);
    sum += value;
  }
  return { min, mean: sum / samples.length, max, count: samples.length };
};

const groupBy = <Key, Value>(values: readonly Value[], keyOf: (value: Value) => Key): Map<Key, Value[]> => {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
};

/** A discrete sample belongs to the bucket of its start. Empty buckets are left out. `samples` ascending by start. */
export const discreteBuckets = (samples: readonly Sample[], length: number): DiscreteBucket[] => {
  const groups = groupBy(withoutShadowedAggregates(samples), ({ start_at }) => Math.floor(start_at / length) * length);
  return [...groups].flatMap(([start, inside]) => {
    const figures = figuresOf(inside);
    return figures === null ? [] : [{ start_at: start, end_at: start + length, date: null, ...figures }];
  });
};

/** The part of a cumulative sample that lies in [from, to): its value by time, an instant lasting a second. */
export const clip = (sample: Sample, from: Instant, to: Instant): Sample => {
  const end = effectiveEnd(sample);
  const start_at = Math.max(sample.start_at, from);
  const end_at = Math.min(end, to);
  const share = (end_at - start_at) / (end - sample.start_at);
  return { ...sample, start_at, end_at, value: sample.value * share };
};

/** The sum of what lies in [from, to), over all sources, dates and zones. Not rounded. */
export const sumWithin = (samples: readonly Sample[], from: Instant, to: Instant, order: SumOrder): number => {
  const inside = samples.filter((sample) => sample.start_at < to && effectiveEnd(sample) > from);
  let sum = 0;
  if (order === null) {
    for (const sample of withoutShadowedAggregates(inside)) sum += clip(sample, from, to).value;
    return sum;
  }
  for (const { value } of stepsMerge(
    inside.map((sample) => clip(sample, from, to)),
    order,
  ).values())
    sum += value;
  return sum;
};

/**
 * Sums a bucket, merged over all sources as `steps_merge/1` does, or added: since every part of the time line is decided by
 * itself, cutting at bucket boundaries changes no decision. Only buckets inside [from, to) that a sample covers.
 */
export const cumulativeBuckets = (
  samples: readonly Sample[],
  length: number,
  range: { from: Instant; to: Instant },
  order: SumOrder,
): CumulativeBucket[] => {
  const groups = new Map<Instant, Sample[]>();
  for (const sample of samples) {
    const end = Math.min(effectiveEnd(sample), range.to);
    const start = Math.max(sample.start_at, range.from);
    for (let bucket = Math.floor(start / length) * length; bucket < end; bucket += length) {
      const group = groups.get(bucket);
      if (group) group.push(sample);
      else groups.set(bucket, [sample]);
    }
  }
  return [...groups]
    .toSorted(([a], [b]) => a - b)
    .map(([start, inside]) => ({
      start_at: start,
      end_at: start + length,
      date: null,
      sum: sumWithin(inside, Math.max(start, range.from), Math.min(start + length, range.to), order),
    }));
};

type DayRange = { first: LocalDate; last: LocalDate; zoneAt: ZoneAt };

export const dayBounds = (date: LocalDate, zoneAt: ZoneAt): { start_at: Instant; end_at: Instant; date: LocalDate } => {
  const zone = zoneAt(Date.parse(`${date}T12:00:00Z`));
  return { start_at: dayStart(date, zone), end_at: dayEnd(date, zone), date };
};

/** Local days, by the samples' own dates (D3). */
export const discreteDays = (samples: readonly Sample[], range: DayRange): DiscreteBucket[] =>
  [...groupBy(withoutShadowedAggregates(samples), ({ local_date }) => local_date)]
    .filter(([date]) => date >= range.first && date <= range.last)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([date, inside]) => {
      const figures = figuresOf(inside);
      return figures === null ? [] : [{ ...dayBounds(date, range.zoneAt), ...figures }];
    });

const daySums = (samples: readonly Sample[], order: SumOrder): Map<LocalDate, number> =>
  order === null
    ? summedDays(withoutShadowedAggregates(samples))
    : new Map([...stepsMerge(samples, order)].map(([date, { value }]) => [date, value]));

/** Local days as the daily rules deal them out: the same sums that the daily metric stands on. */
export const cumulativeDays = (samples: readonly Sample[], range: DayRange, order: SumOrder): CumulativeBucket[] =>
  [...daySums(samples, order)]
    .filter(([date]) => date >= range.first && date <= range.last)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([date, sum]) => Object.assign(dayBounds(date, range.zoneAt), { sum }));
