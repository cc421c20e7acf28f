import { type DayValue, type Series, medianOf, valuesOf } from "./baseline.ts";

export const TEMPERATURE_DAYS = 28;
const MIN_NIGHTS = 5;

export type TemperatureDeviation = { deviation: number; median: number; read: readonly DayValue[] };

/**
 * `wtemp_dev/1` (healthkit.md §5.5), degC: a night's temperature less the median of the nights in D−28…D−1, of which
 * there must be 5. A difference, never a body temperature.
 */
export const temperatureDeviation = (temperature: number, series: Series, day: number): TemperatureDeviation | null => {
  const read = valuesOf(series, day - TEMPERATURE_DAYS, day - 1);
  if (read.length < MIN_NIGHTS) return null;
  const median = medianOf(read);
  return { deviation: temperature - median, median, read };
};
