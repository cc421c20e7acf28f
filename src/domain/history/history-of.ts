import { addDays, epochDay } from "../local-day.ts";
import type { MetricValue } from "../metric-value.ts";
import type { Digest, LocalDate } from "../sample.ts";
import { BASELINE_DAYS, FLOORS } from "./baseline.ts";
import type { DayFacts } from "./facts.ts";
import { BEDTIME_DAYS, type NightScore, nightScores, scoreComponents, scoreSeries } from "./night-scores.ts";
import { type Past, compared, derived, figures, span } from "./past.ts";
import { readinessMetric } from "./readiness-metric.ts";
import { CURRENT_RULES, type Rules } from "./rules.ts";
import { type FactsByDay, byDay, seriesOf } from "./series-of.ts";
import { STRESS_MIN_SAMPLES, stress } from "./stress.ts";
import { TEMPERATURE_DAYS, temperatureDeviation } from "./wrist-temperature.ts";

export type DayHistory = {
  /** Of the date's main sleep, for its session; null where there is no main sleep. */
  score: {
    session_id: string;
    sleep_score: number | null;
    score_components: Record<string, unknown> | null;
    score_method: string | null;
  } | null;
  /** The date's values of `HISTORY_METRICS`, ordered by metric. */
  metrics: MetricValue[];
  /** Whether the date and every earlier one that it can read have closed. */
  final: boolean;
};

/** Every metric that needs earlier days. */
export const HISTORY_METRICS = ["readiness", "skin_temp_deviation", "sleep_score", "stress"] as const;

/**
 * How far a date's results reach back, and its facts ahead: readiness reads sleep scores of 60 days, each of which
 * reads onsets of 21 days. Everything else reaches less far.
 */
export const HISTORY_DAYS = { back: BASELINE_DAYS + BEDTIME_DAYS, ahead: BASELINE_DAYS + BEDTIME_DAYS } as const;

/** The later dates whose results can read a date's facts, ascending (D1). */
export const dependents = (date: LocalDate): LocalDate[] =>
  Array.from({ length: HISTORY_DAYS.ahead }, (_, n) => addDays(date, n + 1));

const sleepScoreMetric = (day: number, { scores, digest }: Past): MetricValue[] => {
  const scored = scores.get(day);
  if (scored === undefined || scored.result === null) return [];
  const { night, read, result } = scored;
  const provenance = {
    session_id: night.session_id,
    ...scoreComponents(scored, result),
    days: span(day, BEDTIME_DAYS),
    ...(night.user_entered === true ? { user_entered: true } : {}),
  };
  const told = { metric: "sleep_score", value: result.score, unit: "score", method: "sleep_score/1", provenance };
  return [derived({ ...told, read: [night, read] }, digest)];
};

const stressMetric = (day: number, facts: DayFacts, { series, digest }: Past): MetricValue[] => {
  const { sedentary_hr, ln_sdnn } = series;
  const heart = compared(sedentary_hr.get(day), { series: sedentary_hr, day, floor: FLOORS.relative });
  const variability = compared(ln_sdnn.get(day), { series: ln_sdnn, day, floor: FLOORS.relative });
  if ("missing" in heart || "missing" in variability) return [];
  const provenance = {
    sedentary_hr: { ...figures(heart), n: facts.sedentary_hr?.n },
    ln_sdnn: { ...figures(variability), n: facts.ln_sdnn?.n },
    min_samples: STRESS_MIN_SAMPLES,
    days: span(day, BASELINE_DAYS),
  };
  const value = stress({ sedentary_hr: heart.z, ln_sdnn: variability.z });
  const told = { metric: "stress", value, unit: "score", method: "stress/1", provenance };
  return [derived({ ...told, read: [heart, variability] }, digest)];
};

const temperatureMetric = (day: number, { skin_temp }: DayFacts, { series, digest }: Past): MetricValue[] => {
  if (skin_temp === undefined) return [];
  const result = temperatureDeviation(skin_temp, series.skin_temp, day);
  if (result === null) return [];
  const { deviation, median, read } = result;
  const provenance = { value: skin_temp, baseline: { n: read.length, median }, days: span(day, TEMPERATURE_DAYS) };
  const told = { metric: "skin_temp_deviation", unit: "degC", method: "wtemp_dev/1", provenance };
  return [derived({ ...told, value: deviation, read: [skin_temp, read] }, digest)];
};

const sessionScore = (scored: NightScore | undefined): DayHistory["score"] => {
  if (scored === undefined) return null;
  const { night, result } = scored;
  return {
    session_id: night.session_id,
    sleep_score: result?.score ?? null,
    score_components: result === null ? null : scoreComponents(scored, result),
    score_method: result === null ? null : "sleep_score/1",
  };
};

const isFinal = (day: number, days: FactsByDay): boolean => {
  for (let at = day - HISTORY_DAYS.back; at <= day; at += 1) if (days.get(at)?.final === false) return false;
  return true;
};

const historyOn = (day: number, days: FactsByDay, past: Past): DayHistory => {
  const facts = days.get(day);
  if (facts === undefined) return { score: null, metrics: [], final: true };
  const metrics = [
    ...readinessMetric(day, facts, past),
    ...temperatureMetric(day, facts, past),
    ...sleepScoreMetric(day, past),
    ...stressMetric(day, facts, past),
  ];
  return { score: sessionScore(past.scores.get(day)), metrics, final: isFinal(day, days) };
};

/**
 * What these dates' facts give together with those of the days before (`HISTORY_DAYS.back`, which `facts` must hold):
 * the main session's score and the metrics with history. A pure function of the facts, so that it does not matter when
 * or in which order they came (D1). `rules`: which versions are in force. Each date reads bounded slices: years cost no more per date than one.
 */
export const historyOf = (
  facts: ReadonlyMap<LocalDate, DayFacts>,
  dates: readonly LocalDate[],
  digest: Digest,
  rules: Rules = CURRENT_RULES,
): Map<LocalDate, DayHistory> => {
  const days = byDay(facts);
  const series = seriesOf(days);
  const scores = nightScores(days, series.onset);
  const past: Past = { series, scores, score: scoreSeries(scores), digest, rules };
  return new Map(dates.map((date) => [date, historyOn(epochDay(date), days, past)] as const));
};
