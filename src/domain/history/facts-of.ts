import { compare } from "../canonical.ts";
import { ofNight } from "../day-rules.ts";
import { DAY, HOUR, MINUTE, offsetAt } from "../local-day.ts";
import { type MetricValue, preferSamples } from "../metric-value.ts";
import { percentile } from "../resting-hr.ts";
import type { Instant, LocalDate, Sample } from "../sample.ts";
import type { SleepSession } from "../sleep/session.ts";
import { type MainSleep, mainSleepOf } from "../sleep/sleep-metrics.ts";
import { sourceKeyOf } from "../source.ts";
import type { DayFacts } from "./facts.ts";

export type FactsInput = {
  date: LocalDate;
  final: boolean;
  /** The date's own metrics as the rules gave them, without those with history. */
  metrics: readonly MetricValue[];
  /** Sessions of this date. */
  sessions: readonly SleepSession[];
  /** Live samples that the date's rules read: of the local day and of the night that ended on it. */
  samples: readonly Sample[];
};

const isEntered = ({ attributes }: Sample): boolean => attributes.user_entered === true;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Wall-clock minutes since the last noon in the zone, 0 to 1440: midnight is 720 (D24). */
const minutesAfterNoon = (at: Instant, tz: string): number => {
  const sinceNoon = at + offsetAt(at, tz) - 12 * HOUR;
  return (sinceNoon - Math.floor(sinceNoon / DAY) * DAY) / MINUTE;
};

const mainSleep = (night: MainSleep, samples: readonly Sample[]): DayFacts["main_sleep"] => {
  const { session_id, onset_at, final_wake_at, tz, source } = night;
  const { total_sleep_s, deep_s, rem_s, awake_s, wakeup_count } = night;
  const byHand = samples.some(
    (sample) =>
      sample.metric === "sleep_analysis" &&
      isEntered(sample) &&
      [1, 3, 4, 5].includes(sample.value) &&
      sourceKeyOf(sample) === source &&
      sample.start_at < final_wake_at &&
      sample.end_at > onset_at,
  );
  return {
    session_id,
    onset_minute: minutesAfterNoon(onset_at, tz),
    total_sleep_s,
    deep_s,
    rem_s,
    awake_s,
    wakeup_count,
    ...(byHand ? { user_entered: true } : {}),
  };
};

/** What a person typed in enters no baseline (§6); aggregates only where there is no sample (D21). */
const measured = (samples: readonly Sample[]): readonly Sample[] =>
  preferSamples(samples.filter((sample) => !isEntered(sample)));

/** In one order, for sums of floats. */
const valuesOf = (samples: readonly Sample[]): number[] =>
  samples.toSorted((a, b) => compare(a.sample_id, b.sample_id)).map(({ value }) => value);

type Vital = { key: string; figure: (values: readonly number[]) => number };
const HRV: Vital = { key: "hrv_sdnn", figure: (values) => percentile(values, 0.5) };
const BREATH: Vital = { key: "respiratory_rate", figure: mean };

/** The derived value, made anew without what a person typed in where there is any. */
const vital = (input: FactsInput, result: MetricValue | undefined, { key, figure }: Vital): number | undefined => {
  const own = input.samples.filter(({ metric }) => metric === key);
  if (result === undefined || !own.some(isEntered)) return result?.value;
  const sleep = mainSleepOf(input.date, input.sessions);
  const night = sleep === null ? null : { from: sleep.onset_at, to: sleep.final_wake_at };
  const typedNone = own.filter((sample) => !isEntered(sample));
  const scoped = ofNight({ key }, { date: input.date, night, of: () => typedNone });
  return scoped === null ? undefined : figure(scoped.inputs.map(({ value }) => value));
};

/** Whose resting heart rate it is: the device's own by source, the provider's total, or the derived one (§5.1). */
const restingSeries = ({ source, method, provenance }: MetricValue): string => {
  if (source === "derived") return "derived";
  return method === "provider_total" ? method : `apple_health:${String(provenance["source_key"])}`;
};

const meanAndCount = (values: readonly number[]): { mean: number; n: number } | undefined =>
  values.length === 0 ? undefined : { mean: mean(values), n: values.length };

const present = <T extends object>(members: { [Key in keyof T]: T[Key] | undefined }): T =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;

/**
 * What later days need to remember of a date; null where there is nothing. A value that a person typed into Health is
 * no part of it (§6); the caller gives computed values, so that edits and locks are none either (D14).
 */
export const factsOf = (input: FactsInput): DayFacts | null => {
  const { date, final, metrics, sessions, samples } = input;
  const of = (metric: string, source: MetricValue["source"]): MetricValue | undefined => {
    const found = metrics.find((one) => one.metric === metric && one.source === source);
    return found?.provenance["user_entered"] === true ? undefined : found;
  };
  const ofDay = (metric: string): readonly Sample[] =>
    measured(samples.filter((sample) => sample.metric === metric && sample.local_date === date));
  const resting = of("resting_hr", "apple_health") ?? of("resting_hr", "derived");
  const night = mainSleepOf(date, sessions);
  const sedentary = ofDay("heart_rate").filter(({ attributes }) => attributes.motion_context === 1);
  const remembered = present<Omit<DayFacts, "final">>({
    main_sleep: night === null ? undefined : mainSleep(night, samples),
    hrv: vital(input, of("hrv", "derived"), HRV),
    resting_hr: resting && { value: resting.value, series: restingSeries(resting) },
    respiratory_rate: vital(input, of("respiratory_rate", "derived"), BREATH),
    skin_temp: of("skin_temp", "apple_health")?.value,
    sedentary_hr: meanAndCount(valuesOf(sedentary)),
    ln_sdnn: meanAndCount(valuesOf(ofDay("hrv_sdnn")).map(Math.log)),
  });
  return Object.keys(remembered).length === 0 ? null : { final, ...remembered };
};
