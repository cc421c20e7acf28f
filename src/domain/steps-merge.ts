import { coveredDays, effectiveEnd } from "./interval.ts";
import { dayEnd, dayStart, epochDay, fromEpochDay, localEpochDay, midnightAfter } from "./local-day.ts";
import type { LocalDate, Sample } from "./sample.ts";
import { bySource } from "./source-order.ts";
import { meetsAny, ownedRuns } from "./timeline.ts";

/** A date's merged total, not rounded, and what each source (by its key) contributed to it. */
export type MergedDay = { value: number; sources: Map<string, number> };

/**
 * `steps_merge/1` (healthkit.md §5.7, D11, D13, D21, D22): one time line over all sources, midnights and zones. In each
 * part only the best sample that covers it counts, with value · part / duration (an instant lasts a second); the part
 * belongs to the local date in that sample's zone. `samples` are live and of one cumulative metric; `order` is the
 * athlete's. Nothing is rounded here.
 */
export const stepsMerge = (samples: readonly Sample[], order: readonly string[]): Map<LocalDate, MergedDay> => {
  const ranked = bySource(samples, order);
  const days = new Map<LocalDate, MergedDay>();
  for (const { from, to, owner } of ownedRuns(ranked.map(({ sample }) => sample))) {
    const { sample, source_key } = ranked[owner] as (typeof ranked)[number];
    const duration = effectiveEnd(sample) - sample.start_at;
    for (let start = from; start < to;) {
      const end = Math.min(to, midnightAfter(start, sample.tz));
      const date = fromEpochDay(localEpochDay(start, sample.tz));
      const part = sample.value * ((end - start) / duration);
      const day = days.get(date) ?? { value: 0, sources: new Map<string, number>() };
      day.value += part;
      day.sources.set(source_key, (day.sources.get(source_key) ?? 0) + part);
      days.set(date, day);
      start = end;
    }
  }
  return days;
};

/**
 * The samples that `stepsMerge` reads for one date: those that cover it in their own zone, and those of other zones
 * that overlap what the former cover of it. The date's result is the same over these as over all.
 */
export const mergeInputs = (date: LocalDate, samples: readonly Sample[]): Sample[] => {
  const day = epochDay(date);
  const covers = (sample: Sample): boolean => {
    const [first, last] = coveredDays(sample, sample.tz);
    return first <= day && day <= last;
  };
  const ofDate = ({ start_at, end_at, tz }: Sample) => ({
    start_at: Math.max(start_at, dayStart(date, tz)),
    end_at: Math.min(effectiveEnd({ start_at, end_at }), dayEnd(date, tz)),
  });
  const runs = ownedRuns(samples.filter(covers).map(ofDate));
  return samples.filter((sample) => covers(sample) || meetsAny(runs, sample.start_at, effectiveEnd(sample)));
};
