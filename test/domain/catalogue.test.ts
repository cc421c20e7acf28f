import { expect, test } from "vitest";
import {
  METRICS,
  type MetricDefinition,
  aggregationStyle,
  isKnownType,
  metricOfKey,
  metricOfType,
} from "../../src/domain/catalogue.ts";
import { ABOVE_0, rangeText, snakeCase } from "../../src/domain/catalogue/definition.ts";
import { interpret, interpretDaily } from "../../src/domain/interpret.ts";
import { HR, STEPS, at, sent } from "./make.ts";

test("types are found by identifier, by alias and by key", () => {
  expect(metricOfType(HR)?.key).toBe("heart_rate");
  expect(metricOfKey("steps")?.type).toBe(STEPS);
  expect(metricOfType("HKCategoryTypeIdentifierStateOfMind")?.key).toBe("state_of_mind");
  expect(metricOfType("HKQuantityTypeIdentifierUVExposure")).toBeUndefined();
  expect(metricOfKey("constructor")).toBeUndefined();
});

test("identifiers, aliases, keys and athlete metrics are given once", () => {
  const types = METRICS.flatMap(({ type, aliases }) => [type, ...aliases]);
  expect(new Set(types).size).toBe(types.length);
  expect(new Set(METRICS.map(({ key }) => key)).size).toBe(METRICS.length);
  const daily = METRICS.flatMap((metric) => metric.daily?.metric ?? []);
  expect(new Set(daily).size).toBe(daily.length);
});

test("the groups are complete: §1.1 to §1.4 and §2", () => {
  const keys = METRICS.map(({ key }) => key).join(" ");
  expect(METRICS.filter(({ type }) => type.startsWith("HKQuantityTypeIdentifierDietary"))).toHaveLength(39);
  expect(METRICS).toHaveLength(112);
  for (const key of [
    "resting_heart_rate walking_heart_rate_avg hrv_sdnn hr_recovery_1min vo2_max respiratory_rate spo2",
    "perfusion_index sleep_breathing_disturbances sleeping_wrist_temp body_temp basal_body_temp afib_burden",
    "blood_pressure_systolic blood_pressure_diastolic blood_glucose",
    "steps distance_walk_run distance_cycling distance_swimming",
    "flights active_energy basal_energy exercise_time move_time stand_time physical_effort time_in_daylight",
    "swim_strokes push_count running_power running_speed",
    "environmental_audio_exposure headphone_audio_exposure number_of_alcoholic_beverages",
    "body_mass lean_body_mass bmi body_fat height waist energy_consumed water carbohydrates",
    "sleep_analysis stand_hour mindful_session high_heart_rate_event",
  ])
    expect(keys).toContain(key);
});

test("keys of groups are the identifier in snake case (D23)", () => {
  expect(["VitaminB12", "PantothenicAcid", "DistanceSwimming", "FatTotal"].map(snakeCase)).toEqual([
    "vitamin_b12",
    "pantothenic_acid",
    "distance_swimming",
    "fat_total",
  ]);
});

test("aggregation styles are words in answers", () => {
  const styles = ["steps", "heart_rate", "headphone_audio_exposure", "mindful_session", "workout"];
  expect(styles.map((key) => aggregationStyle(metricOfKey(key) as (typeof METRICS)[number]))).toEqual([
    "cumulative",
    "discrete",
    "discrete",
    "cumulative",
    "category",
  ]);
});

const NOON = at("2026-03-10T12:00:00Z");

/** What `interpret` makes of a value, in the canonical unit where none is said. */
const meant = (type: string, value: number, unit?: string | null) => {
  const metric = metricOfType(type);
  const own = metric?.value === "sent" && metric.categories === null ? (metric.unit === "" ? null : metric.unit) : null;
  const result = interpret(sent({ type, value, unit: unit === undefined ? own : unit }));
  return result.kind === "dead" ? result.reason : result.kind === "ok" ? result.value : result.kind;
};

const lines = (metrics: readonly MetricDefinition[]) => metrics.map((metric) => [metric.key, metric] as const);

/** Tests a line of the catalogue each, from the line itself. */
test.each(lines(METRICS))("%s is documented by Apple, with sound ranges and rising conversions", (_, metric) => {
  const { type, aliases, units, hard, soft } = metric;
  expect([type, ...aliases].filter((one) => !isKnownType(one))).toEqual([]);
  expect(hard[0] <= soft[0] && soft[0] <= soft[1] && soft[1] <= hard[1]).toBe(true);
  for (const convert of units.values()) expect(convert(1) > convert(0)).toBe(true);
});

const QUANTITIES = METRICS.filter(({ value, categories }) => value === "sent" && categories === null);
test.each(lines(QUANTITIES))("%s is taken up to the ends of its hard range, in its units only", (_, metric) => {
  const { type, unit, units, hard, key } = metric;
  const [min, max] = hard;
  expect(units.get(unit)?.(0.5)).toBe(0.5);
  expect(meant(type, 1, "furlong")).toBe("bad_unit");
  expect(meant(type, min)).toMatchObject({ metric: key, value: min, unit });
  expect(meant(type, min === ABOVE_0 ? 0 : min - 0.001)).toBe("out_of_range");
  expect(meant(type, -1e9)).toBe("out_of_range");
  const above = max === Infinity ? Number.MAX_VALUE : max;
  expect(meant(type, above)).toMatchObject({ value: above });
  expect(meant(type, max + Math.max(0.001, max * 1e-9))).toBe(max === Infinity ? "bad_value" : "out_of_range");
});

const FLAGGED = QUANTITIES.filter(({ soft, hard }) => soft[0] > hard[0] && soft[1] < hard[1]);
test.each(lines(FLAGGED))("%s is flagged outside its soft range, not at its ends", (_, { type, soft, hard }) => {
  const unusual = { attributes: { flags: ["soft_range", "zone_assumed"] } };
  for (const value of [hard[0], soft[0] - 1e-6, soft[1] + 1e-6, hard[1]])
    expect(meant(type, value)).toMatchObject(unusual);
  for (const value of soft) expect(meant(type, value)).toMatchObject({ attributes: { flags: ["zone_assumed"] } });
});

const CATEGORIES = METRICS.filter(({ categories }) => categories !== null);
test.each(lines(CATEGORIES))("%s takes its categories and no other number", (_, { type, key, unit, categories }) => {
  for (const value of categories?.values() ?? []) expect(meant(type, value)).toMatchObject({ metric: key, unit });
  expect([0.5, -1, 99].map((value) => meant(type, value))).toEqual(["bad_value", "bad_value", "bad_value"]);
});

test("a workout is its interval: what stands beside it is not looked at", () => {
  const zero = METRICS.filter(({ value }) => value === "zero");
  expect(zero.map(({ type }) => meant(type, 7, "furlong"))).toMatchObject([{ metric: "workout", value: 0, unit: "" }]);
});

const total = (metric: MetricDefinition) =>
  interpretDaily({ date: 20_522, type: metric.type, value: 5, unit: metric.daily?.unit ?? "" }, NOON);

const DAILY = METRICS.filter(({ daily }) => daily !== null && daily.rule !== "mood/1");
test.each(lines(DAILY))("%s takes a provider's total", (_, metric) => {
  const { metric: name, unit } = metric.daily as NonNullable<MetricDefinition["daily"]>;
  expect(total(metric)).toMatchObject({ kind: "ok", value: { metric: name, value: 5, unit } });
});

test("types without an athlete metric have no totals, and mood is no total", () => {
  const refused = METRICS.filter((metric) => !DAILY.includes(metric)).map(total);
  expect(refused.every((result) => result.kind === "dead" && result.reason === "unknown_type")).toBe(true);
});

test("every type that is documented and not taken is ignored", () => {
  for (const type of [
    "HKDataTypeSleepDurationGoal",
    "HKDataTypeIdentifierElectrocardiogram",
    "HKDataTypeIdentifierAudiogram",
  ])
    expect(meant(type, 1, null)).toBe("ignored");
  for (const type of ["HKClinicalTypeIdentifierLabResultRecord", "HKCorrelationTypeIdentifierBloodPressure"])
    expect(meant(type, 1, null)).toBe("ignored");
});

test("anything else is unknown", () => {
  const types = ["", "HeartRate", "HKQuantityTypeIdentifier", "HKQuantityTypeIdentifierMoonPhase", "toString"];
  expect(types.filter(isKnownType)).toEqual([]);
});

test("ranges say what they exclude", () => {
  expect(
    [[0, 5] as const, [ABOVE_0, 5] as const, [ABOVE_0, Infinity] as const, [1, Infinity] as const].map(rangeText),
  ).toEqual(["0 to 5", "over 0 and at most 5", "over 0", "1 or more"]);
});
