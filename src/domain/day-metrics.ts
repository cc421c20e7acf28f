import { compare } from "./copies.ts";
import type { DailyTotal } from "./interpret.ts";
import { METRICS } from "./catalogue.ts";
import type { MetricDefinition } from "./catalogue.ts";
import { restingHr } from "./resting-hr.ts";
import type { AthleteSettings, Digest, LocalDate, Sample } from "./sample.ts";
import { sourceOrder } from "./source-order.ts";
import { sourceKeyOf } from "./source.ts";
import { mergeInputs, stepsMerge } from "./steps-merge.ts";

/** A daily value as a rule gives it: what stands in `athlete_metrics`, but for locks and revisions. */
export type MetricValue = {
  metric: string;
  source: "derived" | "apple_health";
  value: number;
  unit: string;
  /** Rule and version. */
  method: string;
  /** SHA-256, hex, of what the rule read, without arrival stamps. */
  input_hash: string;
  provenance: Record<string, unknown>;
};

export type DayInput = {
  date: LocalDate;
  /** Live samples of all metrics that overlap the date's `inputSpan`. */
  samples: readonly Sample[];
  totals: readonly DailyTotal[];
  settings: AthleteSettings;
};

/** Every member that a rule reads. Arrival stamps are none: the same samples must give the same hash in any order. */
const inputRow = (sample: Sample) => {
  const { aggregated, created, device_class, motion_context, sync_version } = sample.attributes;
  return [
    sample.sample_id,
    sample.metric,
    sample.start_at,
    sample.end_at,
    sample.value,
    sourceKeyOf(sample),
    sample.tz,
    [device_class ?? null, aggregated ?? null, sync_version ?? null, created ?? null, motion_context ?? null],
  ] as const;
};

const inputHash = (samples: readonly Sample[], settings: unknown, digest: Digest): string => {
  const rows = samples.toSorted((a, b) => compare(a.sample_id, b.sample_id)).map(inputRow);
  return digest.sha256(JSON.stringify([settings, rows]));
};

/** `steps_merge/1` of one date, nothing where no part of the time line belongs to it. */
const mergedTotal = (definition: MetricDefinition, input: DayInput, digest: Digest): MetricValue[] => {
  const { date, samples, settings } = input;
  if (definition.daily?.rule !== "steps_merge/1") return [];
  const order = sourceOrder(settings, definition.key);
  const inputs = mergeInputs(
    date,
    samples.filter((sample) => sample.metric === definition.key),
  );
  const merged = stepsMerge(inputs, order).get(date);
  if (merged === undefined) return [];
  const value = definition.daily.round(merged.value);
  const [min, max] = definition.softDay;
  const counts = Map.groupBy(inputs, sourceKeyOf);
  const sources = [...counts].map(([key, all]) => ({
    source_key: key,
    samples: all.length,
    counted: Math.round((merged.sources.get(key) ?? 0) * 1000) / 1000,
  }));
  const total: MetricValue = {
    metric: definition.daily.metric,
    source: "derived",
    value,
    unit: definition.unit,
    method: "steps_merge/1",
    input_hash: inputHash(inputs, order, digest),
    provenance: {
      n: inputs.length,
      sources: sources.toSorted((a, b) => compare(a.source_key, b.source_key)),
      ...(value < min || value > max ? { flags: ["soft_range"] } : {}),
    },
  };
  return [total];
};

const derivedRestingHr = ({ date, samples }: DayInput, digest: Digest): MetricValue[] => {
  const of = (metric: string) => samples.filter((sample) => sample.metric === metric);
  const result = restingHr({ date, heart: of("heart_rate"), steps: of("steps"), night: null, workouts: [] });
  if (result === null) return [];
  const { value, provenance } = result;
  const input_hash = inputHash(result.inputs, null, digest);
  return [
    { metric: "resting_hr", source: "derived", value, unit: "count/min", method: "rhr/1", input_hash, provenance },
  ];
};

/** The provider's own daily value, taken as it is (§5.0). */
const providerTotal = (total: DailyTotal, digest: Digest): MetricValue => ({
  metric: total.metric,
  source: "apple_health",
  value: total.value,
  unit: total.unit,
  method: "provider_total",
  input_hash: digest.sha256(JSON.stringify([total.date, total.metric, total.value, total.unit])),
  provenance: { value_received: total.value_received, unit_received: total.unit_received },
});

/**
 * Every athlete metric of a date, as a pure function of its inputs (D18), ordered by metric and source. A metric
 * that is not among them does not exist on that date.
 */
export const dayMetrics = (input: DayInput, digest: Digest): MetricValue[] =>
  [
    ...METRICS.flatMap((definition) => mergedTotal(definition, input, digest)),
    ...derivedRestingHr(input, digest),
    ...input.totals.filter(({ date }) => date === input.date).map((total) => providerTotal(total, digest)),
  ].toSorted((a, b) => compare(a.metric, b.metric) || compare(a.source, b.source));
