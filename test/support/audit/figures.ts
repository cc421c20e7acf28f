/** Plain statistics, each as healthkit.md names it. */
export const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

export const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** Linear interpolation between the neighbouring places (D16). */
export const quantile = (values: readonly number[], q: number): number => {
  const sorted = ascending(values);
  const place = (sorted.length - 1) * q;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
};
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** n − 1 (D14). */
export const deviation = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - middle) ** 2, 0) / (values.length - 1));
};

const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** The normal distribution's Φ by Simpson's rule: slow, and without a rational approximation's coefficients. */
export const phi = (z: number): number => {
  const steps = 2000;
  const width = z / steps;
  let area = density(0) + density(z);
  for (let i = 1; i < steps; i += 1) area += (i % 2 === 1 ? 4 : 2) * density(i * width);
  return 0.5 + (area * width) / 3;
};

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
export const halfUp = (value: number): number => Math.floor(value + 0.5);
