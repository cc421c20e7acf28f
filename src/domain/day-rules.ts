import { liesIn, shareOf } from "./apportion.ts";
import type { MetricDefinition } from "./catalogue.ts";
import type { Daily, DailyRule } from "./catalogue/definition.ts";
import { compare } from "./canonical.ts";
import { midpoint } from "./interval.ts";
import { localDate } from "./local-day.ts";
import {
  type DaySamples,
  type MetricValue,
  dayFlags,
  inputHash,
  isPlain,
  preferSamples,
  sourceCounts,
} from "./metric-value.ts";
import { percentile } from "./resting-hr.ts";
import type { Digest, Sample } from "./sample.ts";
import { sourceOrder } from "./source-order.ts";
import { sourceKeyOf } from "./source.ts";
import { mergeInputs, stepsMerge } from "./steps-merge.ts";

/** What a rule makes of a day: the value before rounding, and what it read. */
type Result = { value: number; inputs: readonly Sample[]; provenance: Record<string, unknown>; settings?: unknown };
type Rule = (definition: MetricDefinition, day: DaySamples) => Result | null;

const byId = (a: Sample, b: Sample): number => compare(a.sample_id, b.sample_id);

/** Samples stand at their start (D3), aggregates only where there is no sample (D21); in one order, for sums of floats. */
const ofDay = ({ key }: MetricDefinition, { date, of }: DaySamples): readonly Sample[] =>
  preferSamples(of(key).filter(({ local_date }) => local_date === date)).toSorted(byId);

const mean = (samples: readonly Sample[]): number =>
  samples.reduce((sum, { value }) => sum + value, 0) / samples.length;

const origin = (sample: Sample, n: number): Record<string, unknown> => ({
  n,
  sample_id: sample.sample_id,
  source_key: sourceKeyOf(sample),
  ...(sample.attributes.user_entered === true ? { user_entered: true } : {}),
});

/** The first of them in an order; null of nothing. */
const chosen = (samples: readonly Sample[], order: (a: Sample, b: Sample) => number): Result | null => {
  const [first] = samples.toSorted(order);
  return first === undefined
    ? null
    : { value: first.value, inputs: samples, provenance: origin(first, samples.length) };
};

/** Newest first: by start, then end, then when it was saved. */
const latestFirst = (a: Sample, b: Sample): number =>
  compare(b.start_at, a.start_at) || compare(b.end_at, a.end_at) || latestSaved(a, b);

const savedAt = ({ attributes }: Sample): number => attributes.created ?? -Infinity;

const latestSaved = (a: Sample, b: Sample): number =>
  compare(savedAt(b), savedAt(a)) || compare(b.sample_id, a.sample_id);

const latestEnd = (a: Sample, b: Sample): number => compare(b.end_at, a.end_at) || latestFirst(a, b);

/** Daily resting heart rate: Watch first, then latest saved, then latest end (D12). */
const restingFirst = (a: Sample, b: Sample): number =>
  compare(isWatch(b), isWatch(a)) || compare(savedAt(b), savedAt(a)) || latestEnd(a, b);

const isWatch = ({ attributes }: Sample): number => (attributes.device_class === "watch" ? 1 : 0);

/** `steps_merge/1` of one date, nothing where no part of the time line belongs to it. */
const merged: Rule = ({ key }, { date, settings, of }) => {
  const order = sourceOrder(settings, key);
  const inputs = mergeInputs(date, of(key));
  const day = stepsMerge(inputs, order).get(date);
  if (day === undefined) return null;
  const counted = (source: string): number => Math.round((day.sources.get(source) ?? 0) * 1000) / 1000;
  const sources = sourceCounts(inputs).map((one) => ({ ...one, counted: counted(one.source_key) }));
  return { value: day.value, inputs, settings: order, provenance: { n: inputs.length, sources } };
};

/** A plain sum, apportioned at midnight by time (D13, §5.6). */
const sum: Rule = ({ key }, { date, of }) => {
  const inputs = preferSamples(of(key).filter((sample) => liesIn(sample, date))).toSorted(byId);
  if (inputs.length === 0) return null;
  const value = inputs.reduce((total, sample) => total + sample.value * shareOf(sample, date), 0);
  return { value, inputs, provenance: { n: inputs.length, sources: sourceCounts(inputs) } };
};

type Scoped = { inputs: readonly Sample[]; provenance: Record<string, unknown> };

/**
 * What a rule of the night reads: the samples whose midpoint is in the main sleep (D20), else those of the day; on days
 * without samples aggregates, alike (D21). Says which it was.
 */
export const ofNight = (
  { key }: Pick<MetricDefinition, "key">,
  { date, night, of }: Pick<DaySamples, "date" | "night" | "of">,
): Scoped | null => {
  const isAsleep = (sample: Sample): boolean =>
    night !== null && midpoint(sample) >= night.from && midpoint(sample) <= night.to;
  const scopes = [
    { scope: "main_sleep", samples: of(key).filter(isAsleep) },
    { scope: "day", samples: of(key).filter(({ local_date }) => local_date === date) },
  ];
  const found = scopes.find(({ samples }) => samples.some(isPlain)) ?? scopes.find(({ samples }) => samples.length > 0);
  if (found === undefined) return null;
  const inputs = preferSamples(found.samples).toSorted(byId);
  return { inputs, provenance: { n: inputs.length, sources: sourceCounts(inputs), scope: found.scope } };
};

const nightMean: Rule = (definition, day) => {
  const scoped = ofNight(definition, day);
  return scoped === null ? null : { value: mean(scoped.inputs), ...scoped };
};

/** `hrv/1` (§5.2): the median of SDNN; under three samples the quality is low. */
const hrv: Rule = (definition, day) => {
  const scoped = ofNight(definition, day);
  if (scoped === null) return null;
  const { inputs, provenance } = scoped;
  const value = percentile(
    inputs.map((sample) => sample.value),
    0.5,
  );
  return { value, inputs, provenance: { ...provenance, ...(inputs.length < 3 ? { quality: "low" } : {}) } };
};

const [SYSTOLIC, DIASTOLIC] = ["blood_pressure_systolic", "blood_pressure_diastolic"] as const;

/** The other half of a blood pressure: same group, same start (D23). */
const pairKey = ({ attributes, start_at }: Sample): string | null =>
  attributes.group_id === undefined ? null : `${attributes.group_id}|${start_at}`;

/** Groups whose systolic pressure is not above the diastolic: no pressure at all. */
const impossiblePairs = (day: DaySamples): Set<string> => {
  const lowest = new Map<string, number>();
  for (const sample of day.of(SYSTOLIC)) {
    const pair = pairKey(sample);
    if (pair !== null) lowest.set(pair, Math.min(sample.value, lowest.get(pair) ?? Infinity));
  }
  const isImpossible = (sample: Sample): boolean => sample.value >= (lowest.get(pairKey(sample) ?? "") ?? Infinity);
  const pairs = day.of(DIASTOLIC).filter(isImpossible).map(pairKey);
  return new Set(pairs.filter((pair) => pair !== null));
};

const dayMean: Rule = (definition, day) => {
  const impossible = definition.correlation === "blood_pressure" ? impossiblePairs(day) : new Set<string>();
  const all = ofDay(definition, day);
  const inputs = all.filter((sample) => !impossible.has(pairKey(sample) ?? ""));
  if (inputs.length === 0) return null;
  const set_aside = all.length - inputs.length;
  const provenance = { n: inputs.length, sources: sourceCounts(inputs), ...(set_aside > 0 ? { set_aside } : {}) };
  return { value: mean(inputs), inputs, provenance };
};

const isDailyMood = ({ attributes: { metadata = {} } }: Sample): boolean => {
  const kind = metadata["HKStateOfMindKind"] ?? metadata["HKMetadataKeyStateOfMindKind"] ?? metadata["kind"];
  return [2, "2", "daily_mood", "dailyMood"].some((name) => name === kind);
};

/** §5.8: a valence of −1 to 1 on the scale of 1 to 5; the day's latest daily mood. */
const mood: Rule = (definition, day) => {
  const latest = chosen(ofDay(definition, day).filter(isDailyMood), latestFirst);
  return latest === null ? null : { ...latest, value: 1 + Math.floor(2 * (latest.value + 1) + 0.5) };
};

const RULES: Record<DailyRule, { source: MetricValue["source"]; rule: Rule }> = {
  "steps_merge/1": { source: "derived", rule: merged },
  "day_sum/1": { source: "derived", rule: sum },
  "day_mean/1": { source: "derived", rule: dayMean },
  "sleep_mean/1": { source: "derived", rule: nightMean },
  "hrv/1": { source: "derived", rule: hrv },
  "day_latest/1": { source: "apple_health", rule: (of, day) => chosen(ofDay(of, day), latestFirst) },
  "day_latest_by_end/1": {
    source: "apple_health",
    rule: ({ key }, { date, of }) =>
      chosen(preferSamples(of(key).filter(({ end_at, tz }) => localDate(end_at, tz) === date)), latestEnd),
  },
  "rhr/1": {
    source: "apple_health",
    rule: (definition, day) => {
      const first = chosen(ofDay(definition, day), restingFirst);
      return first === null ? null : { ...first, provenance: { step: 1, ...first.provenance } };
    },
  },
  "mood/1": { source: "apple_health", rule: mood },
  provider_total: { source: "apple_health", rule: () => null },
};

/** The athlete metric that a type gives on a day by itself (§5.0); nothing where it has none. */
export const typeMetric = (definition: MetricDefinition, day: DaySamples, digest: Digest): MetricValue[] => {
  if (definition.daily === null) return [];
  const { metric, unit, round, rule: method }: Daily = definition.daily;
  const { source, rule } = RULES[method];
  const result = rule(definition, day);
  if (result === null) return [];
  const value = round(result.value);
  const provenance = { ...result.provenance, ...dayFlags(value, definition) };
  const input_hash = inputHash(result.inputs, result.settings ?? null, digest);
  return [{ metric, source, value, unit, method, input_hash, provenance }];
};
