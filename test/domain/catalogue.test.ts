import { expect, test } from "vitest";
import { METRICS, isKnownType, metricOfKey, metricOfType } from "../../src/domain/catalogue.ts";
import { HR, STEPS } from "./make.ts";

test("heart rate and steps are taken, and found by type and by key", () => {
  expect(metricOfType(HR)?.key).toBe("heart_rate");
  expect(metricOfKey("steps")?.type).toBe(STEPS);
  expect(metricOfType("HKQuantityTypeIdentifierBodyMass")).toBeUndefined();
  expect(metricOfKey("constructor")).toBeUndefined();
});

test("every type that is taken is one that Apple documents, with a unit of its own and sound ranges", () => {
  for (const { type, unit, units, hard, soft } of METRICS) {
    expect(isKnownType(type)).toBe(true);
    expect(units.get(unit)?.(1)).toBe(1);
    expect(hard[0] <= soft[0] && soft[0] <= soft[1] && soft[1] <= hard[1]).toBe(true);
  }
});

test("types and keys are given once", () => {
  expect(new Set(METRICS.map(({ type }) => type)).size).toBe(METRICS.length);
  expect(new Set(METRICS.map(({ key }) => key)).size).toBe(METRICS.length);
});

test("every identifier that Apple documents is known", () => {
  const known = [
    "HKQuantityTypeIdentifierBodyMass",
    "HKQuantityTypeIdentifierDietaryVitaminB12",
    "HKCategoryTypeIdentifierSleepAnalysis",
    "HKCategoryTypeIdentifierHypertensionEvent",
    "HKCorrelationTypeIdentifierBloodPressure",
    "HKWorkoutTypeIdentifier",
    "HKDataTypeIdentifierHeartbeatSeries",
    "HKDataTypeSleepDurationGoal",
    "HKStateOfMind",
  ];
  expect(known.filter((type) => !isKnownType(type))).toEqual([]);
});

test("anything else is unknown", () => {
  const types = ["", "HeartRate", "HKQuantityTypeIdentifier", "HKQuantityTypeIdentifierMoonPhase", "toString"];
  expect(types.filter(isKnownType)).toEqual([]);
});
