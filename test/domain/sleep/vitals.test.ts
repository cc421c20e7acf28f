import { expect, test } from "vitest";
import type { Sample } from "../../../src/domain/sample.ts";
import { at } from "../make.ts";
import { night, only, vital } from "./night.ts";

/** Asleep from 22:00 to 02:00. */
const sleep = night("watch", "2026-03-10T22:00:00Z", [
  ["core", 120],
  ["rem", 120],
]);
const ONSET = at("2026-03-10T22:00:00Z");
const WAKE = at("2026-03-11T02:00:00Z");
const vitals = (...samples: Sample[]) => {
  const { hrv_ms, resting_hr, avg_hr, min_hr, respiratory_rate, spo2, spo2_min } = only([...sleep, ...samples]);
  return { hrv_ms, resting_hr, avg_hr, min_hr, respiratory_rate, spo2, spo2_min };
};
const NONE = {
  hrv_ms: null,
  resting_hr: null,
  avg_hr: null,
  min_hr: null,
  respiratory_rate: null,
  spo2: null,
  spo2_min: null,
};
/** A heart rate every five minutes from the onset on. */
const beats = (values: readonly number[]): Sample[] =>
  values.map((value, n) => vital("heart_rate", ONSET + n * 300_000, value));

test("what was not measured is unknown", () => {
  expect(vitals()).toEqual(NONE);
});

test("heart rate, breath and oxygen are means, their least values stand beside them, variability is a median", () => {
  const all = [
    ...[50, 60, 52].map((value, n) => vital("heart_rate", ONSET + n, value)),
    ...[30, 90, 40].map((value, n) => vital("hrv_sdnn", ONSET + n, value)),
    ...[14, 15].map((value, n) => vital("respiratory_rate", ONSET + n, value)),
    ...[0.98, 0.9].map((value, n) => vital("spo2", ONSET + n, value)),
  ];
  expect(vitals(...all)).toEqual({
    hrv_ms: 40,
    resting_hr: null,
    avg_hr: 54,
    min_hr: 50,
    respiratory_rate: 14.5,
    spo2: 0.94,
    spo2_min: 0.9,
  });
});

const over = (from: number, to: number, value: number) => vital("spo2", from, value, { end_at: to });

test("a sample counts where its midpoint lies between onset and final wake, both included (D20)", () => {
  expect(vitals(vital("spo2", ONSET, 0.9), vital("spo2", WAKE, 0.92)).spo2).toBeCloseTo(0.91);
  expect(vitals(vital("spo2", ONSET - 1, 0.9), vital("spo2", WAKE + 1, 0.92)).spo2).toBeNull();
  expect(vitals(over(ONSET - 10, ONSET + 10, 0.9), over(WAKE - 10, WAKE + 11, 0.92)).spo2).toBe(0.9);
});

test("aggregates count only where there are no samples (D21)", () => {
  const point = vital("heart_rate", ONSET, 70, { attributes: { aggregated: true } });
  expect(vitals(point).avg_hr).toBe(70);
  expect(vitals(point, vital("heart_rate", ONSET, 50)).avg_hr).toBe(50);
});

test("the resting heart rate is step 2 of rhr/1 on the session: without steps, workouts and motion (D20)", () => {
  const calm = Array.from({ length: 24 }, (_, n) => (n < 6 ? 44 : 56));
  expect(vitals(...beats(calm)).resting_hr).toBe(44);
  expect(vitals(...beats(calm.slice(0, 11))).resting_hr).toBeNull();
  const walk = vital("steps", ONSET - 60_000, 20, { end_at: ONSET + 17 * 60_000 });
  expect(vitals(...beats(calm), walk).resting_hr).toBe(56);
  const before = vital("steps", ONSET - 13 * 60_000, 20, { end_at: ONSET - 12 * 60_000 });
  expect(vitals(...beats(calm.slice(0, 12)), before).resting_hr).toBeNull();
  const workout = vital("workout", ONSET - 3_600_000, 0, { end_at: ONSET + 26 * 60_000 });
  expect(vitals(...beats(calm), workout).resting_hr).toBe(56);
});

test("a session that another one supersedes has vitals too", () => {
  const app = night("app", "2026-03-10T23:00:00Z", [["asleep", 60]]);
  const beat = vital("heart_rate", "2026-03-10T23:30:00Z", 51);
  const early = vital("heart_rate", "2026-03-10T22:30:00Z", 55);
  expect(only([...app, beat, early]).avg_hr).toBe(51);
});
