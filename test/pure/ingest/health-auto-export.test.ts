import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { aggregateId } from "../../../src/domain/ids.ts";
import { metricOfType } from "../../../src/domain/catalogue.ts";
import { digest } from "../../../src/flow/digest.ts";
import {
  aggregationOf,
  convertHealthAutoExport,
  type HealthAutoExportBody,
} from "../../../src/ingest/health-auto-export/door.ts";
import { dateOf, isoOf } from "../../../src/ingest/health-auto-export/dates.ts";
import { typeOfName } from "../../../src/ingest/health-auto-export/names.ts";
import type { Reading } from "../../../src/ingest/health-auto-export/points.ts";
import { dailyOf, samplesOf, throughDoor } from "../../support/ingest/doors.ts";

const send = (data: HealthAutoExportBody["data"], reading: Partial<Reading> = {}) =>
  throughDoor(
    "health_auto_export",
    convertHealthAutoExport({ data }, { aggregation: null, time_zone: null, ...reading }),
  );
const point = (name: string, units: string | null, ...data: unknown[]) => ({ metrics: [{ name, units, data }] });

test.each([
  ["2024-02-06 17:05:00 -0800", "2024-02-06T17:05:00-08:00"],
  ["2024-02-06 5:05:00 PM -0800", "2024-02-06T17:05:00-08:00"],
  ["2024-02-06 5:05:00\u202fPM -0800", "2024-02-06T17:05:00-08:00"],
  ["2024-02-06 5:05:00\u00a0p.m. -0800", "2024-02-06T17:05:00-08:00"],
  ["2024-02-06 12:00:00 AM +0530", "2024-02-06T00:00:00+05:30"],
  ["2024-02-06 12:30:00 PM +0000", "2024-02-06T12:30:00+00:00"],
  ["2024-02-06T08:00:00Z", "2024-02-06T08:00:00Z"],
  ["2024-02-06 08:00 +0100", "2024-02-06T08:00:00+01:00"],
  ["2024-02-06 13:05:00 PM -0800", "2024-02-06 13:05:00 PM -0800"],
  ["2024-02-06 0:05:00 AM -0800", "2024-02-06 0:05:00 AM -0800"],
  ["2024-02-06", "2024-02-06"],
  [17, 17],
])("the date %s is read as %s", (sent, iso) => {
  expect(isoOf(sent)).toEqual(iso);
});

test("a night's date is the one written, whether it stands alone or before a midnight", () => {
  const forms = ["2024-02-06", "2024-02-06 00:00:00 -0800", "2024-02-06 12:00:00\u202fAM -0800"];
  expect(forms.map(dateOf)).toEqual(["2024-02-06", "2024-02-06", "2024-02-06"]);
});

test("old names and today's mean the same types, and every name means a type that Apple documents", () => {
  for (const [old, now] of [
    ["vo2max", "vo2_max"],
    ["walking_heart_rate", "walking_heart_rate_average"],
    ["headphone_audio", "headphone_audio_exposure"],
    ["cholesterol", "dietary_cholesterol"],
    ["Step Count", "step_count"],
  ]) {
    expect(typeOfName(old), old).toBe(typeOfName(now));
    expect(metricOfType(typeOfName(now) ?? ""), now).toBeDefined();
  }
  expect(typeOfName("constructor")).toBeUndefined();
  expect(typeOfName(7)).toBeUndefined();
});

test("percentages are percentages, also below one", () => {
  const date = "2026-11-20 08:00:00 +0100";
  const { answer, ...decision } = send({
    metrics: [
      { name: "blood_oxygen_saturation", units: "%", data: [{ date, qty: 97, source: "W" }] },
      { name: "walking_asymmetry_percentage", units: "%", data: [{ date, qty: 0.5, source: "W" }] },
      { name: "body_fat_percentage", units: "%", data: [{ date, qty: 18.5, source: "W" }] },
    ],
  });
  expect(answer.rejected).toEqual([]);
  expect(samplesOf({ answer, ...decision }).map(({ metric, value }) => [metric, value])).toEqual([
    ["spo2", 0.97],
    ["walking_asymmetry_percentage", 0.005],
    ["body_fat", 0.185],
  ]);
});

test("a summarised heart rate is its mean with minimum and maximum, marked as an aggregate", () => {
  const date = "2026-11-20 08:00:00 +0100";
  const decision = send(point("heart_rate", "bpm", { date, Min: 52, Avg: 61.5, Max: 90, source: "Watch" }));
  expect(samplesOf(decision)).toMatchObject([
    { metric: "heart_rate", value: 61.5, attributes: { aggregated: true, synthetic: true, min: 52, max: 90 } },
  ]);
});

test("merged sources have one name in whatever order, and a re-sent window has the same id", () => {
  const at = { date: "2026-11-20 08:00:00 +0100", qty: 10 };
  const first = samplesOf(send(point("step_count", "count", { ...at, source: "Watch|iPhone" })));
  const again = samplesOf(send(point("step_count", "count", { ...at, qty: 25, source: "iPhone | Watch" })));
  expect(first[0]?.source).toBe("Watch|iPhone");
  expect(again[0]?.sample_id).toBe(first[0]?.sample_id);
  const [start_at, end_at] = [first[0]?.start_at ?? 0, first[0]?.end_at ?? 0];
  const key = { athlete_id: "a1", metric: "steps", start_at, end_at, source: "Watch|iPhone" };
  expect(first[0]?.sample_id).toBe(aggregateId(key, digest));
});

test.each([
  ["hour", "2026-11-20T08:00:00.000Z"],
  ["day", "2026-11-20T23:00:00.000Z"],
  [null, "2026-11-20T07:00:00.000Z"],
  ["none", "2026-11-20T07:00:00.000Z"],
] as const)("a point ends where its stated aggregation (%s) ends, else at its start", (aggregation, end) => {
  const [sample] = samplesOf(
    send(point("step_count", "count", { date: "2026-11-20 08:00:00 +0100", qty: 10 }), { aggregation }),
  );
  expect(new Date(sample?.end_at ?? 0).toISOString()).toBe(end);
  expect(sample?.attributes.aggregated).toBe(aggregation === "none" ? undefined : true);
});

test("an aggregated day ends at the next midnight of the zone: after 23 hours where clocks change", () => {
  const body = point("step_count", "count", { date: "2026-03-29 00:00:00 +0100", qty: 10 });
  const [sample] = samplesOf(send(body, { aggregation: "day", time_zone: "Europe/Amsterdam" }));
  expect((sample?.end_at ?? 0) - (sample?.start_at ?? 0)).toBe(23 * 3_600_000);
});

test("an aggregation longer than a sample may be is refused by name", () => {
  const body = point("step_count", "count", { date: "2026-11-02 00:00:00 +0100", qty: 10 });
  expect(send(body, { aggregation: "week" }).answer.rejected).toMatchObject([
    { reason: "too_long", path: "data.metrics[0].data[0].date" },
  ]);
});

const ids = (points: unknown[]) =>
  new Map(samplesOf(send(point("protein", "g", ...points))).map(({ value, sample_id }) => [value, sample_id]));

test("several points of one moment keep ids of their own, the same whatever their order", () => {
  const date = "2026-11-20 12:30:00 +0100";
  const [a, b] = [
    { date, qty: 42, source: "Diary" },
    { date, qty: 18, source: "Diary" },
  ];
  expect(ids([a, b]).size).toBe(2);
  expect(ids([b, a])).toEqual(ids([a, b]));
  expect(new Set(ids([a, b]).values()).size).toBe(2);
});

test("a blood pressure is two samples of one group", () => {
  const date = "2026-11-20 08:00:00 +0100";
  const [systolic, diastolic] = samplesOf(
    send(point("blood_pressure", "mmHg", { date, systolic: 121, diastolic: 79 })),
  );
  expect([systolic?.value, diastolic?.value]).toEqual([121, 79]);
  expect(systolic?.attributes.group_id).toMatch(/^[0-9a-f-]{36}$/);
  expect(diastolic?.attributes.group_id).toBe(systolic?.attributes.group_id);
});

test("a glucose keeps its meal, a mindful session its length", () => {
  const date = "2026-11-20 08:00:00 +0100";
  const decision = send({
    metrics: [
      { name: "blood_glucose", units: "mmol/L", data: [{ date, qty: 5.5, mealTime: "Before Meal" }] },
      { name: "mindful_minutes", units: "min", data: [{ date, qty: 12 }] },
    ],
  });
  const [glucose, session] = samplesOf(decision);
  expect(glucose?.value).toBeCloseTo(99.09, 2);
  expect(glucose?.attributes.metadata).toEqual({ mealTime: "Before Meal" });
  expect(session).toMatchObject({ metric: "mindful_session", value: 12, unit: "min" });
});

test("dates without a zone of their own fall on the phone's date, unless the request names a zone", () => {
  const body = point("step_count", "count", { date: "2026-11-20 23:30:00 -0800", qty: 10 });
  expect(samplesOf(send(body))).toMatchObject([
    { local_date: "2026-11-20", tz: "-08:00", attributes: { tz_source: "batch" } },
  ]);
  expect(samplesOf(send(body, { time_zone: "Europe/Amsterdam" }))).toMatchObject([{ local_date: "2026-11-21" }]);
});

const segment = (value: string, from: string, to: string) => ({
  startDate: `2026-11-20 ${from} +0100`,
  endDate: `2026-11-20 ${to} +0100`,
  value,
  qty: 1,
  source: "Apple\u00a0Watch",
});

test("sleep without aggregation is segments, as samples of their own", () => {
  const names = ["In Bed", "Core", "Deep", "REM", "Awake", "Unspecified", "Asleep"];
  const decision = send(
    point("sleep_analysis", "hr", ...names.map((name, n) => segment(name, `0${n}:00:00`, `0${n}:30:00`))),
  );
  const samples = samplesOf(decision);
  expect(samples.map(({ value }) => value)).toEqual([0, 3, 4, 5, 2, 1, 1]);
  expect(samples.every(({ source, attributes }) => source === "Apple Watch" && !attributes.aggregated)).toBe(true);
  expect(decision.chunks.map(({ topic }) => topic)).toEqual(["sleep"]);
});

test.each([
  ["a modern Watch", { totalSleep: 7.1, asleep: 0, core: 4, deep: 1.1, rem: 2, inBed: 0 }, 7.1],
  ["the sum of stages", { asleep: 0, core: 4, deep: 1, rem: 2, inBed: 8 }, 7],
  ["before 2024", { asleep: 6.5, inBed: 7.5, sleepSource: "W", inBedSource: "iPhone" }, 6.5],
])("an aggregated night is its total alone: %s", (_, night, hours) => {
  const decision = send(
    point("sleep_analysis", "hr", { date: "2026-11-20", sleepEnd: "2026-11-20 07:00:00 +0100", ...night }),
  );
  expect(dailyOf(decision)).toEqual([
    { date: 20_777, type: "HKCategoryTypeIdentifierSleepAnalysis", value: hours, unit: "hr" },
  ]);
  expect(samplesOf(decision)).toEqual([]);
});

const night = (totalSleep: number, source: string) => ({ date: "2026-11-20", totalSleep, source });

test("a night of which only the time in bed is known has no total, and of several sources the longest counts", () => {
  const inBed = send(point("sleep_analysis", "hr", { date: "2026-11-20", asleep: 0, inBed: 7 }));
  expect(dailyOf(inBed)).toEqual([]);
  expect(inBed.answer.ignored).toEqual({ "sleep_analysis.inBed": 1 });
  const two = send(point("sleep_analysis", "hr", night(6, "Band"), night(7, "Watch")));
  expect(dailyOf(two).map(({ value }) => value)).toEqual([7]);
  expect(two.answer.ignored).toEqual({ sleep_analysis: 1 });
});

test("a workout is its interval under HealthKit's id; its series and other sections are counted as ignored", () => {
  const id = "11111111-2222-4333-8444-555555555555";
  const workout = {
    id: id.toUpperCase(),
    name: "Running",
    start: "2026-11-20 17:05:00 -0800",
    end: "2026-11-20 17:35:00 -0800",
    duration: 1800,
    distance: { qty: 3.5, units: "mi" },
    heartRateData: [{ qty: 1 }, { qty: 2 }],
    route: [{}],
  };
  const old = { ...workout, id: undefined, start: "2026-11-19 5:05:00 PM -0800", end: "2026-11-19 5:35:00 PM -0800" };
  const decision = send({ workouts: [workout, old], ecg: [{}], symptoms: [{}, {}], ["no such"]: 1 });
  expect(samplesOf(decision)).toMatchObject([
    { sample_id: id, metric: "workout", attributes: { metadata: { workoutActivityType: "Running", duration: 1800 } } },
    { metric: "workout", sample_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5/) as unknown },
  ]);
  expect(decision.answer.ignored).toEqual({
    "workouts.heartRateData": 4,
    "workouts.route": 2,
    ecg: 1,
    symptoms: 2,
    other: 1,
  });
});

test("a state of mind keeps kind, labels and associations", () => {
  const decision = send({
    stateOfMind: [
      {
        id: "66666666-7777-4888-8999-aaaaaaaaaaaa",
        start: "2026-11-20T18:00:00Z",
        end: "2026-11-20T18:00:00Z",
        kind: "daily_mood",
        labels: ["calm"],
        associations: ["family"],
        valence: 0.5,
        valenceClassification: "pleasant",
      },
    ],
  });
  expect(samplesOf(decision)).toMatchObject([
    { metric: "state_of_mind", value: 0.5, attributes: { metadata: { kind: "daily_mood", labels: ["calm"] } } },
  ]);
});

test("the header's word for the aggregation and a query's mean the same", () => {
  expect(["Days", "day", "Hours", "Minutes", "None", "", undefined].map(aggregationOf)).toEqual([
    "day",
    "day",
    "hour",
    "minute",
    "none",
    null,
    null,
  ]);
});

test("the sample file is taken as its README describes it", () => {
  const path = join(import.meta.dirname, "../../samples/hae/hae_sample.json");
  const { data } = JSON.parse(readFileSync(path, "utf8")) as HealthAutoExportBody;
  const decision = send(data);
  expect(decision.answer).toMatchObject({ received: 3, accepted: 3, rejected: [], ignored: {} });
  expect(dailyOf(decision).map(({ value }) => value)).toEqual([7.5, 6.25]);
  expect(samplesOf(decision).map(({ metric, local_date }) => [metric, local_date])).toEqual([
    ["steps", "2024-02-06"],
    ["workout", "2024-02-06"],
    ["workout", "2024-02-07"],
  ]);
});
