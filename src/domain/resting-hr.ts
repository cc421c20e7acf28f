import { type Span, midpoint } from "./interval.ts";
import { DAY, HOUR, MINUTE, epochDay, localEpochDay, offsetAt } from "./local-day.ts";
import { preferSamples } from "./metric-value.ts";
import type { Instant, LocalDate, Sample } from "./sample.ts";

export type RestingHrInput = {
  date: LocalDate;
  /** Live heart rate and steps that overlap the date and the night. */
  heart: readonly Sample[];
  steps: readonly Sample[];
  /** The main sleep; null where there is none: then 00:00–07:00 by each sample's own clock. */
  night: Span | null;
  /** Workouts that overlap the date and the night: their heart rates are no rest. */
  workouts: readonly Sample[];
};

export type RestingHr = {
  /** count/min, not rounded (D17). */
  value: number;
  provenance: { step: 2 | 3; n: number; bins?: number };
  /** What the rule read to come to this value. */
  inputs: Sample[];
};

const BIN = 5 * MINUTE;
const STILL = 12 * MINUTE;
const [WINDOW, FILLED, MIN_BINS, MIN_SEDENTARY] = [6, 4, 12, 30];

/** Percentile by linear interpolation between closest ranks (D16); `values` is not empty, `share` 0–1. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return below + (above - below) * (place - Math.floor(place));
};

/** Answers whether any of the spans, ends included, meets [from, to]. */
const meets = (spans: readonly Span[]): ((from: Instant, to: Instant) => boolean) => {
  const sorted = spans.toSorted((a, b) => a.from - b.from);
  let latest = Number.NEGATIVE_INFINITY;
  const latestEnds = sorted.map(({ to }) => (latest = Math.max(latest, to)));
  return (from, to) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] as Span).from <= to) low = middle + 1;
      else high = middle;
    }
    return low > 0 && (latestEnds[low - 1] as number) >= from;
  };
};

const isLocalNight = ({ start_at, tz }: Sample): boolean => {
  const wall = start_at + offsetAt(start_at, tz);
  return wall - Math.floor(wall / DAY) * DAY < 7 * HOUR;
};

const median = (beats: readonly Sample[]): number =>
  percentile(
    beats.map(({ value }) => value),
    0.5,
  );

/** The least mean of bin medians over 6 neighbouring bins of which at least 4 are filled; null where there is none. */
const quietest = (bins: ReadonlyMap<number, readonly Sample[]>): number | null => {
  const medians = new Map([...bins].map(([bin, beats]) => [bin, median(beats)] as const));
  let least: number | null = null;
  for (const filled of medians.keys())
    for (let first = filled - WINDOW + 1; first <= filled; first += 1) {
      let [sum, inside] = [0, 0];
      for (let bin = first; bin < first + WINDOW; bin += 1) {
        const median = medians.get(bin);
        if (median === undefined) continue;
        sum += median;
        inside += 1;
      }
      if (inside >= FILLED && (least === null || sum / inside < least)) least = sum / inside;
    }
  return least;
};

type Resting = Pick<RestingHrInput, "heart" | "steps" | "workouts">;
type RestingAsleep = { least: number | null; n: number; bins: number; inputs: Sample[] };

/**
 * Step 2 of `rhr/1`: of a night's heart rates, taken at rest (no step in the 12 minutes before, no workout, motion
 * context not active), the least mean over 30 minutes; null where too few are left. A heart rate stands at its start.
 */
export const restingAsleep = ({ heart, steps, workouts }: Resting): RestingAsleep => {
  const asleep = preferSamples(heart);
  const stepsNear = meets(asleep.map(({ start_at }) => ({ from: start_at - STILL, to: start_at })));
  const walked = preferSamples(steps.filter(({ start_at, end_at }) => stepsNear(start_at, end_at)));
  const walking = meets(walked.map(({ start_at, end_at }) => ({ from: start_at, to: end_at })));
  const asleepAt = meets(asleep.map(({ start_at }) => ({ from: start_at, to: start_at })));
  const trained = workouts.filter(({ start_at, end_at }) => asleepAt(start_at, end_at));
  const training = meets(trained.map(({ start_at, end_at }) => ({ from: start_at, to: end_at })));
  const calm = asleep.filter(
    ({ start_at, attributes }) =>
      attributes.motion_context !== 2 && !walking(start_at - STILL, start_at) && !training(start_at, start_at),
  );
  const bins = Map.groupBy(calm, ({ start_at }) => Math.floor(start_at / BIN));
  const least = bins.size >= MIN_BINS ? quietest(bins) : null;
  return { least, n: calm.length, bins: bins.size, inputs: [...asleep, ...walked, ...trained] };
};

/**
 * `rhr/1` (healthkit.md §5.1, D16, D21) without its first step, the device's own resting heart rate. Step 2 on the main
 * sleep, by the samples' midpoints (D20), else on the small hours, by their starts (D3). Step 3: the 5th percentile of
 * at least 30 sedentary ones of the day. Else null.
 */
export const restingHr = ({ date, heart, steps, night, workouts }: RestingHrInput): RestingHr | null => {
  const day = epochDay(date);
  const ofDay = ({ start_at, tz }: Sample): boolean => localEpochDay(start_at, tz) === day;
  const inNight = (sample: Sample): boolean =>
    night === null
      ? isLocalNight(sample) && ofDay(sample)
      : midpoint(sample) >= night.from && midpoint(sample) <= night.to;
  const { least, n, bins, inputs } = restingAsleep({ heart: heart.filter(inNight), steps, workouts });
  if (least !== null) return { value: least, provenance: { step: 2, n, bins }, inputs };
  const sedentary = preferSamples(heart.filter(ofDay)).filter(({ attributes }) => attributes.motion_context === 1);
  if (sedentary.length < MIN_SEDENTARY) return null;
  const value = percentile(
    sedentary.map((sample) => sample.value),
    0.05,
  );
  return {
    value,
    provenance: { step: 3, n: sedentary.length },
    inputs: [...new Set([...inputs, ...sedentary])],
  };
};
