/** Median, smallest and largest: what is printed of every figure that was taken several times. */
export type Spread = { median: number; min: number; max: number };

/** The value below which this share of the values lies; NaN of none. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};

export const spreadOf = (values: readonly number[]): Spread => ({
  median: quantile(values, 0.5),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** Three digits or so: nobody reads more out of a noisy machine. */
export const short = (value: number): string =>
  Number.isFinite(value)
    ? value >= 100
      ? Math.round(value).toLocaleString("en")
      : value.toPrecision(3).replace(/\.?0+$/, "")
    : "–";

/** `12.3 (11.0–15.1)` */
export const spreadText = ({ median, min, max }: Spread): string => `${short(median)} (${short(min)}–${short(max)})`;
