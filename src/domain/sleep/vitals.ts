import { type Span, midpoint } from "../interval.ts";
import { preferSamples } from "../metric-value.ts";
import { percentile, restingAsleep } from "../resting-hr.ts";
import type { Instant, Sample } from "../sample.ts";
import { placedBy } from "./placed.ts";
import type { SleepSession } from "./session.ts";

type Columns = "hrv_ms" | "resting_hr" | "avg_hr" | "min_hr" | "respiratory_rate" | "spo2" | "spo2_min";
export type Vitals = Pick<SleepSession, Columns>;

/** Values ascending: their sum is the same whatever order and ids the samples have. */
const valuesOf = (samples: readonly Sample[]): number[] =>
  preferSamples(samples)
    .map(({ value }) => value)
    .toSorted((a, b) => a - b);

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

const startOf = ({ start_at }: Sample): Instant => start_at;

/** Those that may overlap a span: all that do, and some that do not. */
const reaching = (samples: readonly Sample[]) => {
  const longest = samples.reduce((most, { start_at, end_at }) => Math.max(most, end_at - start_at), 0);
  const find = placedBy(samples, startOf);
  return ({ from, to }: Span): Sample[] => find({ from: from - longest, to });
};

/** What `rhr/1` looks back for steps. */
const STILL = 12 * 60_000;

/**
 * Answers what the body did in a session (D20), from samples of all metrics whose midpoint lies between onset and final
 * wake. Aggregates count only where there are no samples (D21).
 */
export const vitalsOf = (samples: readonly Sample[]): ((sleep: Span) => Vitals) => {
  const byMetric = Map.groupBy(samples, ({ metric }) => metric);
  const of = (metric: string): readonly Sample[] => byMetric.get(metric) ?? [];
  const [hearts, hrvs] = [placedBy(of("heart_rate"), midpoint), placedBy(of("hrv_sdnn"), midpoint)];
  const [breaths, oxygens] = [placedBy(of("respiratory_rate"), midpoint), placedBy(of("spo2"), midpoint)];
  const [steps, workouts] = [reaching(of("steps")), reaching(of("workout"))];
  return (sleep) => {
    const around = { from: sleep.from - STILL, to: sleep.to };
    const heart = hearts(sleep);
    const [beats, variability, oxygen] = [valuesOf(heart), valuesOf(hrvs(sleep)), valuesOf(oxygens(sleep))];
    return {
      hrv_ms: variability.length === 0 ? null : percentile(variability, 0.5),
      resting_hr: restingAsleep({ heart, steps: steps(around), workouts: workouts(around) }).least,
      avg_hr: mean(beats),
      min_hr: beats[0] ?? null,
      respiratory_rate: mean(valuesOf(breaths(sleep))),
      spo2: mean(oxygen),
      spo2_min: oxygen[0] ?? null,
    };
  };
};
