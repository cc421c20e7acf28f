import { expect, test } from "vitest";
import {
  ATHLETE_METRICS,
  WELLNESS,
  athleteMetric,
  enteredValue,
  likelyMetrics,
} from "../../src/domain/athlete-metrics.ts";
import { METRICS } from "../../src/domain/catalogue.ts";

const of = (metric: string) => athleteMetric(metric) ?? expect.fail(`no ${metric}`);

/** Contract §3, without the dietary ones, which come from the catalogue. */
const CONTRACT =
  "hrv resting_hr walking_hr weight body_fat lean_body_mass bmi waist height steps distance flights active_energy " +
  "basal_energy exercise_time stand_time mindful_time stress readiness vo2max respiratory_rate spo2 skin_temp " +
  "skin_temp_deviation blood_pressure_systolic blood_pressure_diastolic blood_glucose sleep_score sleep_duration " +
  "sleep_efficiency sleep_latency energy_consumed protein carbohydrates fat_total fiber sugar sodium water caffeine " +
  "soreness fatigue mood motivation";

test("every athlete metric of the contract and every dietary key is there once, and nothing else", () => {
  const dietary = METRICS.filter(({ type }) => type.includes("Dietary")).map(({ key }) => key);
  const keys = ATHLETE_METRICS.map(({ metric }) => metric);
  expect(keys).toEqual([...new Set([...CONTRACT.split(" "), ...dietary])].toSorted());
  expect(athleteMetric("heart_rate")).toBeUndefined();
});

test.each(ATHLETE_METRICS)("$metric can be entered in its own unit, up to the ends of its range", (metric) => {
  const [low, high] = metric.hard;
  expect(low).toBeLessThan(high);
  for (const end of metric.hard) expect(enteredValue(metric, end, metric.unit)).toBe(end);
});

test("units that can be converted are", () => {
  expect(enteredValue(of("weight"), 154, "lb")).toBeCloseTo(69.853, 3);
  expect(enteredValue(of("sleep_duration"), 7.5, "hr")).toBe(27_000);
  expect(enteredValue(of("skin_temp"), 95, "degF")).toBe(35);
  expect(enteredValue(of("blood_glucose"), 5, "mmol/L")).toBeCloseTo(90.08, 2);
  expect(enteredValue(of("weight"), 70, "count")).toBeUndefined();
});

test("a difference of temperatures has no zero point to move", () => {
  expect(enteredValue(of("skin_temp_deviation"), -1.8, "degF")).toBeCloseTo(-1, 12);
  expect(Object.is(enteredValue(of("skin_temp_deviation"), -0, "degC"), 0)).toBe(true);
});

test("a person who writes % means percent, however small", () => {
  expect(enteredValue(of("body_fat"), 18, "%")).toBe(0.18);
  expect(enteredValue(of("sleep_efficiency"), 0.5, "%")).toBe(0.005);
  expect(enteredValue(of("spo2"), 0.97, "fraction")).toBe(0.97);
});

test("counts, scores and scales are whole numbers, measures are not", () => {
  const whole = ATHLETE_METRICS.filter((metric) => metric.whole).map(({ metric }) => metric);
  expect(whole).toEqual(["flights", "readiness", "sleep_score", "steps", "stress", ...WELLNESS].toSorted());
  for (const scale of WELLNESS) expect(of(scale).hard).toEqual([1, 5]);
});

test.each([
  ["resting_heart_rate", "resting_hr"],
  ["body_mass", "weight"],
  ["wieght", "weight"],
  ["Steps", "steps"],
  ["sorenes", "soreness"],
  ["fat", "fat_total"],
  ["vo2_max", "vo2max"],
])("%s may mean %s", (text, metric) => {
  expect(likelyMetrics(text)).toContain(metric);
});

test("a word that is like none of them means none", () => {
  expect(likelyMetrics("xylophone")).toEqual([]);
});
