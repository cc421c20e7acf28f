/** A value of a day; days since the epoch. */
export type DayValue = readonly [day: number, value: number];

/** One figure over time, by days since the epoch. A day that is absent had none. */
export type Series = ReadonlyMap<number, number>;

/** Values of the days from `from` to `to`, both included, ascending: whatever else the series holds is not read. */
export const valuesOf = (series: Series, from: number, to: number): DayValue[] => {
  const values: DayValue[] = [];
  for (let day = from; day <= to; day += 1) {
    const value = series.get(day);
    if (value !== undefined) values.push([day, value]);
  }
  return values;
};

export const meanOf = (values: readonly DayValue[]): number =>
  values.reduce((sum, [, value]) => sum + value, 0) / values.length;

/** The middle value, or the mean of the two in the middle; `values` is not empty. */
export const medianOf = (values: readonly DayValue[]): number => {
  const sorted = values.map(([, value]) => value).toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1] as number, sorted[sorted.length >> 1] as number];
  return (low + high) / 2;
};

/** Mean and sample standard deviation (n−1), the latter not below its floor (D14). */
export type Baseline = { n: number; mean: number; sd: number };

export const BASELINE_DAYS = 60;
const [MIN_DAYS, SETTLED_DAYS] = [14, 28];

/** Floors of the standard deviation (D14): 2 % of the mean, 0.1 °C for temperatures. */
export const FLOORS = {
  relative: (mean: number): number => 0.02 * Math.abs(mean),
  degrees: (): number => 0.1,
} as const;
export type Floor = (mean: number) => number;

/** Below 28 days a baseline is provisional. */
export const isProvisional = ({ n }: Baseline): boolean => n < SETTLED_DAYS;

const spread = (values: readonly DayValue[], mean: number): number =>
  Math.sqrt(values.reduce((sum, [, value]) => sum + (value - mean) ** 2, 0) / (values.length - 1));

/** Why a figure says nothing about a day. */
export type Missing = {
  missing: "no_value" | "too_few_samples" | "too_few_recent_days" | "too_few_days" | "no_spread";
  n?: number;
};

/** A day's value beside its baseline: `z` is how many standard deviations it lies above it. */
export type Compared = { value: number; z: number; baseline: Baseline; read: readonly DayValue[] };

/**
 * A day's value against the baseline of D−60…D−1 (healthkit.md §5.3, D14), which needs at least 14 days. Where the
 * standard deviation and its floor are both 0 there is no measure of a deviation.
 */
export const compareWith = (value: number, { series, day, floor }: Place): Compared | Missing => {
  const read = valuesOf(series, day - BASELINE_DAYS, day - 1);
  const n = read.length;
  if (n < MIN_DAYS) return { missing: "too_few_days", n };
  const mean = meanOf(read);
  const sd = Math.max(spread(read, mean), floor(mean));
  if (sd === 0) return { missing: "no_spread", n };
  return { value, z: (value - mean) / sd, baseline: { n, mean, sd }, read };
};

/** Where a value stands: the series before it, its day, and the floor of its kind. */
export type Place = { series: Series; day: number; floor: Floor };
