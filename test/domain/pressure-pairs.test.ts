import { expect, test } from "vitest";
import { impossiblePressures } from "../../src/domain/pressure-pairs.ts";
import { aSample } from "./make.ts";

const part = (which: "systolic" | "diastolic", value: number, group_id: string | null = "g") =>
  aSample({
    metric: `blood_pressure_${which}`,
    value,
    attributes: group_id === null ? {} : { group_id },
  });

const impossible = (...parts: ReturnType<typeof part>[]): number[] =>
  [...impossiblePressures(parts)].map(({ value }) => value);

test("both parts of a pressure whose systolic is not above the diastolic are impossible", () => {
  expect(impossible(part("systolic", 80), part("diastolic", 120))).toEqual([80, 120]);
  expect(impossible(part("systolic", 90), part("diastolic", 90))).toEqual([90, 90]);
  expect(impossible(part("systolic", 91), part("diastolic", 90))).toEqual([]);
});

test("parts of other groups, of none, at other times, and other metrics say nothing against each other", () => {
  expect(impossible(part("systolic", 80, "a"), part("diastolic", 120, "b"))).toEqual([]);
  expect(impossible(part("systolic", 80, null), part("diastolic", 120, null))).toEqual([]);
  const later = { ...part("diastolic", 120), start_at: part("diastolic", 120).start_at + 1000 };
  expect(impossible(part("systolic", 80), later)).toEqual([]);
  expect(impossible(part("systolic", 80), { ...part("diastolic", 120), metric: "heart_rate" })).toEqual([]);
  expect(impossible(part("diastolic", 120))).toEqual([]);
});

test("of several in one group only those that can stand with none are impossible", () => {
  const parts = [part("systolic", 120), part("diastolic", 80), part("diastolic", 130)];
  expect(impossible(...parts)).toEqual([130]);
  expect(impossible(part("systolic", 70), part("systolic", 120), part("diastolic", 80))).toEqual([70]);
});
