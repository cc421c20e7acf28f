import { expect, test } from "vitest";
import { type MetricDefinition, metricOfKey } from "../../src/domain/catalogue.ts";
import { interpret } from "../../src/domain/interpret.ts";
import { sentValue, valueHint } from "../../src/domain/measure.ts";
import { at, sent } from "./make.ts";

const definition = (key: string): MetricDefinition => metricOfKey(key) as MetricDefinition;
const meaning = (key: string, value: unknown, metadata: Record<string, unknown> = {}) =>
  sentValue(definition(key), value, metadata);

test("sleep is read by number and by every name that an export has written for it (§2)", () => {
  const names = ["InBed", "Asleep", "AsleepUnspecified", "Awake", "AsleepCore", "AsleepDeep", "AsleepREM"];
  const values = names.map((name) => meaning("sleep_analysis", `HKCategoryValueSleepAnalysis${name}`));
  expect(values).toEqual([0, 1, 1, 2, 3, 4, 5]);
  expect(meaning("sleep_analysis", 4)).toBe(4);
  expect(meaning("sleep_analysis", "AsleepLight")).toBeUndefined();
});

test("a category without a value is 0, as are a workout and its like; a quantity needs one", () => {
  for (const nothing of [undefined, null, ""]) {
    expect(meaning("sleep_analysis", nothing)).toBe(0);
    expect(meaning("workout", nothing)).toBe(0);
    expect(meaning("heart_rate", nothing)).toBeUndefined();
  }
  expect(meaning("stand_hour", "HKCategoryValueAppleStandHourIdle")).toBe(1);
  expect(meaning("high_heart_rate_event", "HKCategoryValueNotApplicable")).toBe(0);
});

test("what is no number is none", () => {
  expect([meaning("heart_rate", NaN), meaning("heart_rate", "57"), meaning("workout", {})]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("a state of mind has its valence as value or in the metadata, in both spellings", () => {
  const notSet = "HKCategoryValueStateOfMindNotSet";
  expect(meaning("state_of_mind", 0.5)).toBe(0.5);
  expect(meaning("state_of_mind", notSet, { HKMetadataKeyStateOfMindValence: "0.25" })).toBe(0.25);
  expect(meaning("state_of_mind", null, { HKStateOfMindValence: -1 })).toBe(-1);
  expect(meaning("state_of_mind", null, { HKStateOfMindValence: "high" })).toBeUndefined();
  expect(meaning("state_of_mind", null)).toBeUndefined();
});

test("what would be right is said", () => {
  expect(valueHint(definition("stand_hour"))).toMatch(/0, 1/);
  expect(valueHint(definition("steps"))).toBe("must be a finite number");
  expect(valueHint(definition("state_of_mind"))).toMatch(/HKStateOfMindValence/);
});

test("a mindful session is its minutes, whatever value was sent with it", () => {
  const type = "HKCategoryTypeIdentifierMindfulSession";
  const session = sent({ type, unit: null, value: 0, end_at: at("2026-03-10T12:12:30Z") });
  expect(interpret(session)).toMatchObject({ value: { metric: "mindful_session", value: 12.5, unit: "min" } });
  const long = sent({ type, unit: null, value: 0, end_at: at("2026-03-11T12:00:01Z") });
  expect(interpret(long)).toMatchObject({ reason: "out_of_range" });
});

test("a workout is its interval: value 0, no unit, and what was sent beside it is kept", () => {
  const workout = sent({
    type: "HKWorkoutTypeIdentifier",
    unit: "min",
    value: 30,
    end_at: at("2026-03-10T12:30:00Z"),
    metadata: `{"workoutActivityType":"HKWorkoutActivityTypeRunning"}`,
  });
  expect(interpret(workout)).toMatchObject({
    value: {
      metric: "workout",
      value: 0,
      unit: "",
      attributes: { value_received: 30, metadata: { workoutActivityType: "HKWorkoutActivityTypeRunning" } },
    },
  });
});

test("a sleep segment keeps its start date, and a category has no unit", () => {
  const type = "HKCategoryTypeIdentifierSleepAnalysis";
  expect(interpret(sent({ type, unit: null, value: 5 }))).toMatchObject({
    value: { metric: "sleep_analysis", value: 5, unit: "", local_date: "2026-03-10" },
  });
  expect(interpret(sent({ type, unit: "", value: 5 })).kind).toBe("ok");
  expect(interpret(sent({ type, unit: "count", value: 5 }))).toMatchObject({ reason: "bad_unit" });
  expect(interpret(sent({ type, unit: null, value: 6 }))).toMatchObject({ reason: "bad_value", field: "value" });
});
