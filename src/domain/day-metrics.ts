import { METRICS } from "./catalogue.ts";
import { compare } from "./canonical.ts";
import { typeMetric } from "./day-rules.ts";
import type { DailyTotal } from "./interpret.ts";
import { type DayInput, type DaySamples, type MetricValue, inputHash } from "./metric-value.ts";
import { restingHr } from "./resting-hr.ts";
import type { Digest } from "./sample.ts";
import { mainSleepOf, sleepMetrics } from "./sleep/sleep-metrics.ts";

export type { DayInput, MetricValue } from "./metric-value.ts";

/** `rhr/1` from heart rates. Only for days without a resting heart rate of the device's own: the caller sees to it. */
const derivedRestingHr = ({ date, night, of }: DaySamples, digest: Digest): MetricValue[] => {
  const [heart, steps, workouts] = [of("heart_rate"), of("steps"), of("workout")];
  const result = restingHr({ date, heart, steps, night, workouts });
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
 * that is not among them does not exist on that date. Where the provider says a day's value outright, that is its
 * value, not what its samples would give.
 */
export const dayMetrics = (input: DayInput, digest: Digest): MetricValue[] => {
  const { date, settings } = input;
  const byMetric = Map.groupBy(input.samples, ({ metric }) => metric);
  const sleep = mainSleepOf(date, input.sessions);
  const night = sleep === null ? null : { from: sleep.onset_at, to: sleep.final_wake_at };
  const day: DaySamples = { date, settings, night, of: (metric) => byMetric.get(metric) ?? [] };
  const totals = input.totals.filter((total) => total.date === date).map((total) => providerTotal(total, digest));
  const said = new Set(totals.map(({ metric }) => metric));
  const present = METRICS.filter(({ key }) => byMetric.has(key));
  const own = present.flatMap((definition) => typeMetric(definition, day, digest));
  const measured = own.some(({ metric }) => metric === "resting_hr");
  return [
    ...own.filter(({ metric, source }) => source === "derived" || !said.has(metric)),
    ...(measured ? [] : derivedRestingHr(day, digest)),
    ...(sleep === null ? [] : sleepMetrics(sleep, input.sessions, digest)),
    ...totals,
  ].toSorted((a, b) => compare(a.metric, b.metric) || compare(a.source, b.source));
};
