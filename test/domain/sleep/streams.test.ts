import { expect, test } from "vitest";
import type { Sample } from "../../../src/domain/sample.ts";
import { sessionStreams } from "../../../src/domain/sleep/streams.ts";
import { at } from "../make.ts";
import { keyOf, night, only, rows, segment, sessions, vital } from "./night.ts";

const FROM = "2026-03-10T22:00:00Z";
const clock = (minutes: number): number => at(FROM) + minutes * 60_000;
const sleep = night("watch", FROM, [
  ["core", 100],
  ["core", 20],
  ["awake", 10],
  ["rem", 100],
]);

const streams = (samples: readonly Sample[]) =>
  sessionStreams(only(samples), samples).map(({ session_id: _, channel, start_at, end_at, value, source }) => [
    channel,
    (start_at - at(FROM)) / 60_000,
    (end_at - at(FROM)) / 60_000,
    value,
    source,
  ]);

test("the hypnogram has each instant once, neighbours that say the same joined", () => {
  const again = segment("watch", "deep", [clock(10), clock(20)], { attributes: { created: 5 } });
  expect(streams([...sleep, again])).toEqual([
    ["sleep_stage", 0, 10, 3, "watch"],
    ["sleep_stage", 10, 20, 4, "watch"],
    ["sleep_stage", 20, 120, 3, "watch"],
    ["sleep_stage", 120, 130, 2, "watch"],
    ["sleep_stage", 130, 230, 5, "watch"],
  ]);
});

test("every row names its session", () => {
  const session = only(sleep);
  expect(sessionStreams(session, sleep).every(({ session_id }) => session_id === session.session_id)).toBe(true);
});

test("vitals from bedtime to rise stand in channels of their own, in the order of the file", () => {
  const bed = rows("phone", [["inBed", "2026-03-10T21:50:00Z", "2026-03-11T02:00:00Z"]]);
  const all = [
    vital("heart_rate", clock(30), 50, { source: "b" }),
    vital("heart_rate", clock(30), 52, { source: "a" }),
    vital("heart_rate", clock(30), 51, { source: "a" }),
    vital("heart_rate", clock(-10), 60),
    vital("heart_rate", clock(-10.1), 61),
    vital("spo2", clock(20), 0.97, { end_at: clock(21) }),
    vital("spo2", clock(20), 0.98),
    vital("respiratory_rate", clock(239), 14, { end_at: clock(241) }),
    vital("respiratory_rate", clock(239), 15, { end_at: clock(242) }),
    vital("hrv_sdnn", clock(60), 44),
    vital("steps", clock(60), 44),
  ];
  const found = streams([...sleep, ...bed, ...all]);
  expect(found.filter(([channel]) => channel !== "sleep_stage")).toEqual([
    ["heart_rate", -10, -10, 60, "Watch"],
    ["heart_rate", 30, 30, 51, "a"],
    ["heart_rate", 30, 30, 52, "a"],
    ["heart_rate", 30, 30, 50, "b"],
    ["hrv", 60, 60, 44, "Watch"],
    ["respiratory_rate", 239, 241, 14, "Watch"],
    ["spo2", 20, 20, 0.98, "Watch"],
    ["spo2", 20, 21, 0.97, "Watch"],
  ]);
  const order = ["heart_rate", "hrv", "respiratory_rate", "sleep_stage", "spo2"];
  expect([...new Set(found.map(([channel]) => channel))]).toEqual(order);
});

const heart = (...samples: Sample[]) => streams([...sleep, ...samples]).filter(([channel]) => channel === "heart_rate");

test("a channel has aggregates only where it has no samples", () => {
  const point = vital("heart_rate", clock(30), 70, { attributes: { aggregated: true } });
  expect(heart(point)).toHaveLength(1);
  expect(heart(point, vital("heart_rate", clock(40), 50))).toEqual([["heart_rate", 40, 40, 50, "Watch"]]);
});

test("of two sessions of one source each has its own stages, and a loser has its source's", () => {
  const second = night("watch", "2026-03-11T03:00:00Z", [["deep", 60]]);
  const app = night("app", FROM, [["asleep", 60]]);
  const samples = [...sleep, ...second, ...app];
  const stages = (source: string) =>
    sessions(samples)
      .filter((session) => session.source === source)
      .map((session) => sessionStreams(session, samples).map(({ value }) => value));
  expect(stages(keyOf("watch"))).toEqual([[3, 2, 5], [4]]);
  expect(stages(keyOf("app"))).toEqual([[1]]);
});

test("in bed only, the time in bed of all is one layer", () => {
  const bed = rows("phone", [
    ["inBed", "2026-03-10T22:00:00Z", "2026-03-10T23:00:00Z"],
    ["inBed", "2026-03-10T23:30:00Z", "2026-03-11T02:00:00Z"],
    ["inBed", "2026-03-11T05:00:00Z", "2026-03-11T05:30:00Z"],
  ]);
  const app = rows("app", [["inBed", "2026-03-10T22:30:00Z", "2026-03-10T23:10:00Z"]]);
  expect(streams([...bed, ...app, vital("heart_rate", clock(15), 50)])).toEqual([
    ["heart_rate", 15, 15, 50, "Watch"],
    ["sleep_stage", 0, 70, 0, "pooled"],
    ["sleep_stage", 90, 240, 0, "pooled"],
  ]);
  const longer = segment("phone", "inBed", [clock(200), clock(260)]);
  const stages = sessionStreams(only([...bed, ...app]), [...bed, ...app, longer]);
  expect(stages.map(({ end_at }) => end_at)).toEqual([clock(70), clock(260)]);
});

test("of samples that are newer than the session the night shows that has most in common with it", () => {
  const session = only(sleep);
  const before = night("watch", "2026-03-10T21:30:00Z", [["deep", 30]]);
  const [, ...later] = sleep;
  const other = night("watch", "2026-03-11T06:00:00Z", [["asleep", 300]]);
  const stages = (samples: readonly Sample[]) => sessionStreams(session, samples).map(({ value }) => value);
  expect(stages([...before, ...sleep])).toEqual([4, 3, 2, 5]);
  expect(stages([...later, ...other])).toEqual([3, 2, 5]);
  const torn = [...sleep.slice(0, 1), ...sleep.slice(3)].map((row, n) =>
    n === 1 ? { ...row, start_at: clock(170) } : row,
  );
  expect(stages(torn)).toEqual([3]);
  expect(stages(other)).toEqual([]);
});

test("a session whose samples are gone has no streams", () => {
  expect(sessionStreams(only(sleep), [])).toEqual([]);
});
