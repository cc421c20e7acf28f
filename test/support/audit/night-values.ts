import type { Expected } from "./expected-samples.ts";
import { mean, median } from "./figures.ts";
import type { Night } from "./nights.ts";
import { midpoint, type Resting, type Span } from "./resting.ts";

/** D20: what was measured while a session slept. Null where nothing was. */
export type NightValues = {
  hrv_ms: number | null;
  resting_hr: number | null;
  avg_hr: number | null;
  min_hr: number | null;
  respiratory_rate: number | null;
  spo2: number | null;
  spo2_min: number | null;
};

export const sleepOf = (night: Night): Span | null =>
  night.onset_at === null || night.final_wake_at === null ? null : { from: night.onset_at, to: night.final_wake_at };

/** Values of samples whose midpoint lies in the span. Aggregates are no samples (D21). */
export const during = (samples: readonly Expected[], { from, to }: Span): number[] =>
  samples.filter((s) => !s.aggregated && midpoint(s) >= from && midpoint(s) <= to).map((s) => s.value);

const NOTHING: NightValues = {
  hrv_ms: null,
  resting_hr: null,
  avg_hr: null,
  min_hr: null,
  respiratory_rate: null,
  spo2: null,
  spo2_min: null,
};

const least = (values: readonly number[]): number => Math.min(...values);

export const nightValues = (night: Night, by: (metric: string) => readonly Expected[], rates: Resting): NightValues => {
  const span = sleepOf(night);
  if (span === null) return NOTHING;
  const of = (metric: string, figure: (values: readonly number[]) => number): number | null => {
    const values = during(by(metric), span);
    return values.length === 0 ? null : figure(values);
  };
  return {
    hrv_ms: of("hrv_sdnn", median),
    resting_hr: rates.asleep(span) ?? null,
    avg_hr: of("heart_rate", mean),
    min_hr: of("heart_rate", least),
    respiratory_rate: of("respiratory_rate", mean),
    spo2: of("spo2", mean),
    spo2_min: of("spo2", least),
  };
};
