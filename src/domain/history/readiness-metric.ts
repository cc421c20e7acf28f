import type { MetricValue } from "../metric-value.ts";
import {
  BASELINE_DAYS,
  type Compared,
  FLOORS,
  type Missing,
  type Place,
  type Series,
  compareWith,
  meanOf,
  valuesOf,
} from "./baseline.ts";
import type { DayFacts } from "./facts.ts";
import { type Past, compared, derived, figures, span } from "./past.ts";
import { READINESS_RULES } from "./rules.ts";
import { READINESS_TERMS, READINESS_WEIGHTS, type ReadinessTerm, readinessTerm } from "./readiness.ts";

/** The mean ln HRV of a week, of which 3 days must be there, D itself among them (D14). */
const weekOfHrv = (series: Series, day: number): Compared | Missing => {
  if (!series.has(day)) return { missing: "no_value" };
  const week = valuesOf(series, day - 6, day);
  if (week.length < 3) return { missing: "too_few_recent_days", n: week.length };
  return compareWith(meanOf(week), { series, day, floor: FLOORS.relative });
};

const readinessTerms = (day: number, facts: DayFacts, { series, score }: Past) => {
  const resting = facts.resting_hr && series.resting_hr.get(facts.resting_hr.series);
  const relative = (own: Series): Place => ({ series: own, day, floor: FLOORS.relative });
  return {
    hrv: weekOfHrv(series.ln_hrv, day),
    resting_hr: compared(facts.resting_hr?.value, relative(resting ?? new Map())),
    sleep_score: compared(score.get(day), relative(score)),
    respiratory_rate: compared(facts.respiratory_rate, relative(series.respiratory_rate)),
    skin_temp: compared(facts.skin_temp, { series: series.skin_temp, day, floor: FLOORS.degrees }),
  } satisfies Record<ReadinessTerm, Compared | Missing>;
};

/** Readiness of a date, by the version in force, nothing where it has none. */
export const readinessMetric = (day: number, facts: DayFacts, past: Past): MetricValue[] => {
  const terms = readinessTerms(day, facts, past);
  const [raw, used, missing]: [
    Partial<Record<ReadinessTerm, number>>,
    Record<string, unknown>,
    Record<string, Missing>,
  ] = [{}, {}, {}];
  for (const term of READINESS_TERMS) {
    const result = terms[term];
    if ("missing" in result) missing[term] = result;
    else {
      raw[term] = result.z;
      const entered = { weight: READINESS_WEIGHTS[term] / 100, points: readinessTerm(term, result.z) };
      used[term] = { ...figures(result), ...entered };
    }
  }
  const method = past.rules.readiness;
  const result = READINESS_RULES[method](raw);
  if (result === null) return [];
  const band = "missing" in terms.hrv ? {} : { hrv_band: smallestWorthwhileChange(terms.hrv) };
  const series = facts.resting_hr && raw.resting_hr !== undefined ? { resting_hr_series: facts.resting_hr.series } : {};
  const { z, weight } = result;
  const provenance = { z, weight, terms: used, missing, ...series, ...band, days: span(day, BASELINE_DAYS) };
  const told = { metric: "readiness", value: result.score, unit: "score", method, provenance };
  return [derived({ ...told, read: terms }, past.digest)];
};

/** ln ms: changes of the weekly HRV within it mean nothing (§5.3). */
const smallestWorthwhileChange = ({ baseline: { mean, sd } }: Compared): [number, number] => [
  mean - 0.5 * sd,
  mean + 0.5 * sd,
];
