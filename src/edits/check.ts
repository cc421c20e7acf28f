import {
  ATHLETE_METRICS,
  type AthleteMetric,
  WELLNESS,
  athleteMetric,
  enteredValue,
  likelyMetrics,
} from "../domain/athlete-metrics.ts";
import { rangeText } from "../domain/catalogue/definition.ts";
import { isLocalDate } from "../domain/local-day.ts";
import type { LocalDate } from "../domain/sample.ts";
import { type FieldError, Problem } from "../flow/route.ts";
import type { MetricRow } from "../flow/metric-rows.ts";

export const SOURCES = ["apple_health", "derived", "manual"] as const;
const FIRST_DATE = "1900-01-01";

/** 422: understood, but it cannot be so. Each error names a field and what is allowed there. */
export const impossible = (...errors: [FieldError, ...FieldError[]]): Problem =>
  new Problem(422, `${errors[0].path} ${errors[0].detail}`, { errors });

const quote = (text: string): string => JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);

const badDate = (detail: string): Problem => impossible({ path: "date", detail });

/** `latest`: the date where the athlete is, see `latestDate`; null where it is not known yet. */
export const checkDate = (text: string, latest: LocalDate | null): LocalDate => {
  if (!isLocalDate(text)) throw badDate(`must be a local date like 2026-11-21; it is ${quote(text)}`);
  if (text < FIRST_DATE) throw badDate(`must be ${FIRST_DATE} or later`);
  if (latest !== null && text > latest)
    throw badDate(`must not lie in the future: the latest date there is, is ${latest}`);
  return text;
};

export const checkMetric = (text: string): AthleteMetric => {
  const metric = athleteMetric(text);
  if (metric) return metric;
  const likely = likelyMetrics(text);
  const known = ATHLETE_METRICS.map((one) => one.metric).join(", ");
  const hint = likely.length > 0 ? `; did you mean ${likely.join(" or ")}?` : "";
  throw impossible({ path: "metric", detail: `${quote(text)} is no athlete metric${hint} Known are ${known}` });
};

export const checkSource = (text: string): MetricRow["source"] => {
  const source = SOURCES.find((one) => one === text);
  if (source) return source;
  throw impossible({ path: "source", detail: `must be one of ${SOURCES.join(", ")}; it is ${quote(text)}` });
};

/** What is wrong with a value, or the value in the canonical unit. `path` names the member that holds it. */
const readValue = (
  metric: AthleteMetric,
  entered: { value: number; unit?: string | undefined },
  path: string,
): FieldError | number => {
  const { unit, units, hard, whole } = metric;
  const value = enteredValue(metric, entered.value, entered.unit ?? unit);
  if (value === undefined) {
    const known = [...units.keys()].join(", ");
    return { path: "unit", detail: `of ${metric.metric} must be one of ${known}; it is ${quote(entered.unit ?? "")}` };
  }
  const right = `must be ${whole ? "a whole number, " : ""}${rangeText(hard)} ${unit}`;
  const fits = value >= hard[0] && value <= hard[1] && (!whole || Number.isInteger(value));
  const others = [...units.keys()].filter((one) => one !== unit);
  const hint = entered.unit === undefined && others.length > 0 ? ` (or say the unit: ${others.join(", ")})` : "";
  return fits ? value : { path, detail: right + hint };
};

/** A value in the metric's canonical unit; without a unit it is one already. */
export const checkValue = (metric: AthleteMetric, entered: { value: number; unit?: string | undefined }): number => {
  const value = readValue(metric, entered, "value");
  if (typeof value === "number") return value;
  throw impossible(value);
};

export type WellnessBody = Readonly<Record<string, unknown>>;

/** The scales that a body names (§5.8), each an integer of 1 to 5. All faults are told at once. */
export const checkWellness = (body: WellnessBody): { metric: AthleteMetric; value: number }[] => {
  const known = WELLNESS.join(", ");
  const read = Object.entries(body).map(([key, value]): FieldError | { metric: AthleteMetric; value: number } => {
    const metric = WELLNESS.some((one) => one === key) ? athleteMetric(key) : undefined;
    if (!metric) return { path: key.slice(0, 64), detail: `is no scale of wellness; there are ${known}` };
    const checked = readValue(metric, { value: typeof value === "number" ? value : Number.NaN }, key);
    return typeof checked === "number" ? { metric, value: checked } : checked;
  });
  const [first, ...others] = read.filter((one) => "path" in one);
  if (first) throw impossible(first, ...others);
  if (read.length === 0) throw impossible({ path: "", detail: `name at least one of ${known}` });
  return read.filter((one) => "metric" in one);
};
