import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertOpenMhealth } from "../../../src/ingest/open-mhealth/door.ts";
import { dailyOf, samplesOf, throughDoor } from "../../support/ingest/doors.ts";

const send = (...points: unknown[]) => throughDoor("open_mhealth", convertOpenMhealth(points));

const header = (name: string, more: object = {}) => ({
  schema_id: { namespace: "omh", name, version: "1.0" },
  acquisition_provenance: { source_name: "Granola", modality: "sensed" },
  ...more,
});
const at = { effective_time_frame: { date_time: "2026-11-20T08:00:00+01:00" } };
const point = (name: string, body: object, more: object = {}) => ({
  header: header(name, more),
  body: { ...at, ...body },
});

const sampleFile = (name: string): object =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../../samples/omh", name), "utf8")) as object;
const filePoint = (file: string, name: string) => ({ header: header(name), body: sampleFile(file) });

test("the four valid sample files are taken with their units and intervals, the invalid one is refused", () => {
  const decision = send(
    filePoint("heart-rate-1.1.valid.json", "heart-rate"),
    filePoint("step-count-3.0.valid.json", "step-count"),
    filePoint("body-weight-3.0.valid.json", "body-weight"),
    filePoint("sleep-episode-1.1.valid.json", "sleep-episode"),
    filePoint("step-count-3.0.invalid-string.json", "step-count"),
  );
  expect(
    samplesOf(decision).map(({ metric, value, unit, start_at, end_at }) => [metric, value, unit, end_at - start_at]),
  ).toEqual([
    ["heart_rate", 50, "count/min", 0],
    ["steps", 10_600, "count", 3_600_000],
    ["body_mass", 50, "kg", 0],
  ]);
  // 9 h from 21:35Z end on the next date; the total, not the interval, is the night's sleep.
  expect(dailyOf(decision)).toEqual([
    { date: 16_837, type: "HKCategoryTypeIdentifierSleepAnalysis", value: 8.5, unit: "hr" },
  ]);
  expect(decision.answer).toMatchObject({ received: 4, accepted: 3 });
  expect(decision.answer.rejected).toMatchObject([
    { path: "[4].body.effective_time_frame.date_time", reason: "bad_time" },
  ]);
});

test("text where a number belongs is refused by the member's name", () => {
  expect(send(point("step-count", { step_count: { value: "6000", unit: "steps" } })).answer.rejected).toMatchObject([
    { path: "[0].body.step_count.value", reason: "bad_value" },
  ]);
});

test.each([
  ["oxygen-saturation", { oxygen_saturation: { value: 97, unit: "%" } }, ["spo2", 0.97]],
  ["body-fat-percentage", { body_fat_percentage: { value: 18, unit: "%" } }, ["body_fat", 0.18]],
  ["body-temperature", { body_temperature: { value: 98.6, unit: "F" } }, ["body_temp", 37]],
  ["body_height", { body_height: { value: 180, unit: "cm" } }, ["height", 1.8]],
  ["body-mass-index", { body_mass_index: { value: 22, unit: "kg/m2" } }, ["bmi", 22]],
  ["respiratory-rate", { respiratory_rate: { value: 14, unit: "breaths/min" } }, ["respiratory_rate", 14]],
  ["blood-glucose", { blood_glucose: { value: 100, unit: "mg/dL" } }, ["blood_glucose", 100]],
  ["calories-burned", { kcal_burned: { value: 200, unit: "kcal" } }, ["active_energy", 200]],
])("%s is one of HealthKit's measures", (name, body, expected) => {
  expect(samplesOf(send(point(name, body))).map(({ metric, value }) => [metric, value])).toEqual([expected]);
});

test("half a percent is half a percent: the percent rule never guesses here", () => {
  const { answer } = send(point("oxygen-saturation", { oxygen_saturation: { value: 0.97, unit: "%" } }));
  expect(answer.rejected).toMatchObject([{ reason: "out_of_range" }]);
});

test("a blood pressure is two samples of one group", () => {
  const body = {
    systolic_blood_pressure: { value: 121, unit: "mmHg" },
    diastolic_blood_pressure: { value: 79, unit: "mmHg" },
  };
  const [systolic, diastolic] = samplesOf(send(point("blood-pressure", body)));
  expect([systolic?.value, diastolic?.value]).toEqual([121, 79]);
  expect(diastolic?.attributes.group_id).toBe(systolic?.attributes.group_id);
  expect(diastolic?.sample_id).not.toBe(systolic?.sample_id);
});

test("a point's id is HealthKit's own where it is a UUID; what a person reported counts as typed in", () => {
  const id = "243c773b-8936-407e-9c23-270d0ea49cc4";
  const provenance = { source_name: "Diary", modality: "self-reported" };
  const body = { body_weight: { value: 154, unit: "lb" }, descriptive_statistic: "average" };
  expect(samplesOf(send(point("body-weight", body, { id, acquisition_provenance: provenance })))).toMatchObject([
    {
      sample_id: id,
      source: "Diary",
      attributes: { user_entered: true, metadata: { descriptive_statistic: "average" } },
    },
  ]);
});

const interval = (time_interval: object) => ({
  header: header("step-count"),
  body: { step_count: { value: 10, unit: "steps" }, effective_time_frame: { time_interval } },
});

test("an interval is known by any two of start, end and duration; a part of a day is no time", () => {
  const [start_date_time, end_date_time] = ["2026-11-20T06:25:00+01:00", "2026-11-20T07:25:00+01:00"];
  const duration = { value: 60, unit: "min" };
  const decision = send(
    interval({ start_date_time, end_date_time }),
    interval({ start_date_time, duration }),
    interval({ end_date_time, duration }),
    interval({ date: "2026-11-20", part_of_day: "morning" }),
  );
  const times = samplesOf(decision).map(({ start_at, end_at }) => [start_at, end_at]);
  expect(new Set(times.map(String)).size).toBe(1);
  expect(times).toHaveLength(3);
  expect(decision.answer.rejected).toMatchObject([
    { path: "[3].body.effective_time_frame.time_interval.start_date_time" },
  ]);
});

test("a nap is no night, and a measure that HealthKit has not is refused by its schema's name", () => {
  const nap = point("sleep-episode", { total_sleep_time: { value: 1, unit: "h" }, is_main_sleep: false });
  const { answer } = send(nap, point("hair-length", { hair_length: { value: 1, unit: "cm" } }), 7, { header: 3 });
  expect(answer.ignored).toEqual({ "sleep-episode": 1 });
  expect(answer.rejected.map(({ path, reason }) => [path, reason])).toEqual([
    ["[1].header.schema_id.name", "unknown_type"],
    ["[2]", "bad_value"],
    ["[3].header.schema_id.name", "unknown_type"],
  ]);
});
