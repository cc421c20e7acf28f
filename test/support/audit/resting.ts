import type { Expected } from "./expected-samples.ts";
import { clockOf } from "./local-time.ts";

/**
 * The auditor's own `rhr/1` (healthkit.md §5.1, D16, D21) without sleep: 00:00–07:00 of each sample's wall clock, then the
 * 5th percentile of the day's sedentary samples.
 */
const BIN = 300_000;
const NIGHT = 7 * 3_600_000;
const STILL = 12 * 60_000;
const WINDOW = 6;

const quantile = (sorted: readonly number[], q: number): number => {
  const place = (sorted.length - 1) * q;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
};
const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

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

const lowestWindow = (night: readonly Expected[]): number | undefined => {
  const bins = new Map<number, number[]>();
  for (const s of night) {
    const bin = Math.floor(s.start_at / BIN);
    bins.set(bin, [...(bins.get(bin) ?? []), s.value]);
  }
  if (bins.size < 12) return undefined;
  const medians = new Map([...bins].map(([bin, values]) => [bin, quantile(ascending(values), 0.5)]));
  const filled = ascending([...medians.keys()]);
  let lowest: number | undefined;
  // Any six neighbouring bins, also where they begin before the first filled one.
  for (let start = (filled[0] ?? 0) - WINDOW + 1; start <= (filled.at(-1) ?? -WINDOW); start += 1) {
    const values: number[] = [];
    for (let bin = start; bin < start + WINDOW; bin += 1) {
      const value = medians.get(bin);
      if (value !== undefined) values.push(value);
    }
    if (values.length < 4) continue;
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    if (lowest === undefined || mean < lowest) lowest = mean;
  }
  return lowest;
};

/** Resting heart rate by local date; dates without enough data are absent. */
export const restingRates = (hearts: readonly Expected[], steps: readonly Expected[]): Map<string, number> => {
  const walked = walkedBefore(steps.toSorted((a, b) => a.start_at - b.start_at));
  const days = new Map<string, Expected[]>();
  for (const heart of hearts) {
    const day = days.get(heart.local_date);
    if (day) day.push(heart);
    else days.set(heart.local_date, [heart]);
  }
  const out = new Map<string, number>();
  for (const [date, all] of days) {
    const real = all.filter((s) => !s.aggregated);
    const day = real.length > 0 ? real : all;
    const night = day.filter((s) => clockOf(s.start_at, s.tz) < NIGHT && s.motion_context !== 2 && !walked(s.start_at));
    const sedentary = ascending(day.filter((s) => s.motion_context === 1).map((s) => s.value));
    const rate = lowestWindow(night) ?? (sedentary.length >= 30 ? quantile(sedentary, 0.05) : undefined);
    if (rate !== undefined) out.set(date, rate);
  }
  return out;
};
