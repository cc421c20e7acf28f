import type { Expected } from "./expected-samples.ts";
import { mean, median, quantile } from "./figures.ts";
import { clockOf } from "./local-time.ts";

/**
 * The auditor's own `rhr/1` (healthkit.md §5.1, D16, D21): the main sleep, else 00:00–07:00 of each sample's wall clock; then
 * the 5th percentile of the day's sedentary samples.
 */
const BIN = 300_000;
const NIGHT = 7 * 3_600_000;
const STILL = 12 * 60_000;
const WINDOW = 6;

export type Span = { from: number; to: number };

/** True for instants that a step sample reaches within the twelve minutes before: `steps` sorted by start. */
const walkedBefore = (steps: readonly Expected[]): ((at: number) => boolean) => {
  const latestEnd: number[] = [];
  for (const step of steps) latestEnd.push(Math.max(step.end_at, latestEnd.at(-1) ?? Number.NEGATIVE_INFINITY));
  return (at) => {
    let [low, high] = [0, steps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((steps[middle]?.start_at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low > 0 && (latestEnd[low - 1] ?? 0) >= at - STILL;
  };
};

const lowestWindow = (hearts: readonly Expected[]): number | undefined => {
  const bins = new Map<number, number[]>();
  for (const s of hearts) {
    const bin = Math.floor(s.start_at / BIN);
    bins.set(bin, [...(bins.get(bin) ?? []), s.value]);
  }
  if (bins.size < 12) return undefined;
  const medians = new Map([...bins].map(([bin, values]) => [bin, median(values)]));
  const filled = [...medians.keys()].toSorted((a, b) => a - b);
  let lowest: number | undefined;
  // Any six neighbouring bins, also where they begin before the first filled one.
  for (let start = (filled[0] ?? 0) - WINDOW + 1; start <= (filled.at(-1) ?? -WINDOW); start += 1) {
    const values: number[] = [];
    for (let bin = start; bin < start + WINDOW; bin += 1) {
      const value = medians.get(bin);
      if (value !== undefined) values.push(value);
    }
    if (values.length < 4) continue;
    const level = mean(values);
    if (lowest === undefined || level < lowest) lowest = level;
  }
  return lowest;
};

export const midpoint = (s: Expected): number => (s.start_at + s.end_at) / 2;

export type Resting = {
  /** Step 2 on one stretch of sleep. */
  asleep(span: Span): number | undefined;
  /** Steps 2 and 3 by local date; dates without enough data are absent. `sleeps`: the main sleep of each date. */
  byDate(sleeps: ReadonlyMap<string, Span>): Map<string, number>;
};

export const resting = (hearts: readonly Expected[], steps: readonly Expected[], workouts: readonly Expected[]) => {
  const walked = walkedBefore(steps.toSorted((a, b) => a.start_at - b.start_at));
  const training = (at: number): boolean => workouts.some((w) => w.start_at <= at && at <= w.end_at);
  const still = (s: Expected): boolean => s.motion_context !== 2 && !walked(s.start_at) && !training(s.start_at);
  const asleep = ({ from, to }: Span): number | undefined =>
    lowestWindow(hearts.filter((s) => !s.aggregated && midpoint(s) >= from && midpoint(s) <= to && still(s)));
  const byDate = (sleeps: ReadonlyMap<string, Span>): Map<string, number> => {
    const out = new Map<string, number>();
    const days = Map.groupBy(hearts, (s) => s.local_date);
    for (const date of new Set([...days.keys(), ...sleeps.keys()])) {
      const all = days.get(date) ?? [];
      const real = all.filter((s) => !s.aggregated);
      const day = real.length > 0 ? real : all;
      const sleep = sleeps.get(date);
      const night = day.filter((s) => clockOf(s.start_at, s.tz) < NIGHT && still(s));
      const sedentary = day.filter((s) => s.motion_context === 1).map((s) => s.value);
      const rate =
        (sleep ? asleep(sleep) : lowestWindow(night)) ??
        (sedentary.length >= 30 ? quantile(sedentary, 0.05) : undefined);
      if (rate !== undefined) out.set(date, rate);
    }
    return out;
  };
  return { asleep, byDate } satisfies Resting;
};
