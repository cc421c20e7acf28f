import { expect, test } from "vitest";
import { at } from "../make.ts";
import { type StageName, night, only, rows, segment, sessions } from "./night.ts";

type Parts = readonly (readonly [StageName | "gap", number])[];
const FROM = "2026-03-10T22:00:00Z";
const watch = (...parts: Parts) => only(night("watch", FROM, parts));
const clock = (minutes: number): number => at(FROM) + minutes * 60_000;

test("time in bed, asleep and awake are told apart", () => {
  expect(
    watch(
      ["awake", 10],
      ["core", 60],
      ["deep", 30],
      ["awake", 4.5],
      ["rem", 30],
      ["awake", 5],
      ["asleep", 20],
      ["awake", 8],
    ),
  ).toMatchObject({
    start_at: clock(0),
    onset_at: clock(10),
    final_wake_at: clock(159.5),
    end_at: clock(167.5),
    time_in_bed_s: 167.5 * 60,
    total_sleep_s: 140 * 60,
    light_s: 3600,
    deep_s: 1800,
    rem_s: 1800,
    unspecified_s: 1200,
    awake_s: 9.5 * 60,
    gap_s: 0,
    wakeup_count: 1,
    onset_latency_s: null,
    efficiency: 140 / 167.5,
  });
});

test("awake for five minutes is an awakening, also in several rows", () => {
  expect(watch(["core", 60], ["awake", 3], ["awake", 2], ["deep", 60])).toMatchObject({ wakeup_count: 1 });
  expect(watch(["core", 60], ["awake", 3], ["gap", 1], ["awake", 2], ["deep", 60])).toMatchObject({
    wakeup_count: 0,
    awake_s: 300,
    gap_s: 60,
  });
});

test("sleep begins with the first minute asleep in a row; what lies before does not count", () => {
  expect(watch(["core", 0.5], ["awake", 5], ["core", 0.5], ["rem", 0.5], ["deep", 30])).toMatchObject({
    onset_at: clock(5.5),
    total_sleep_s: 31 * 60,
    light_s: 30,
    awake_s: 0,
  });
});

test("the last moment asleep ends the night, however short", () => {
  expect(watch(["core", 30], ["awake", 10], ["core", 0.5], ["awake", 3])).toMatchObject({
    final_wake_at: clock(40.5),
    awake_s: 600,
  });
});

test("without two kinds of stages no stage is known, but sleep is", () => {
  const unknown = { light_s: null, deep_s: null, rem_s: null, unspecified_s: null };
  expect(watch(["core", 60], ["asleep", 30])).toMatchObject({ ...unknown, total_sleep_s: 5400, awake_s: null });
  expect(watch(["deep", 60])).toMatchObject({ ...unknown, awake_s: null, wakeup_count: null });
  expect(watch(["asleep", 60], ["awake", 10], ["asleep", 60])).toMatchObject({
    ...unknown,
    awake_s: 600,
    wakeup_count: 1,
  });
  expect(watch(["deep", 60], ["rem", 60])).toMatchObject({ light_s: 0, deep_s: 3600, awake_s: 0, wakeup_count: 0 });
});

const none = (...parts: Parts) => sessions(night("watch", FROM, parts));

test("less than 20 minutes asleep is no session", () => {
  expect(none(["core", 10], ["deep", 9.5])).toEqual([]);
  expect(none(["awake", 60])).toEqual([]);
  expect(
    none(...Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? (["core", 0.9] as const) : (["awake", 1] as const)))),
  ).toEqual([]);
  expect(none(["core", 10], ["deep", 10])).toHaveLength(1);
});

test("a watch that writes one night twice: saved last counts, then the finer stage", () => {
  const first = night(
    "watch",
    FROM,
    [
      ["core", 100],
      ["deep", 100],
    ],
    { attributes: { created: 1 } },
  );
  const second = night(
    "watch",
    FROM,
    [
      ["awake", 20],
      ["rem", 130],
    ],
    { attributes: { created: 2 } },
  );
  expect(only([...first, ...second])).toMatchObject({
    onset_at: clock(20),
    rem_s: 130 * 60,
    deep_s: 50 * 60,
    light_s: 0,
    provenance: { set_aside: { conflicts: 2, duplicates: 0 }, sources: [{ segments: 3 }] },
  });
});

test("what is believed of one instant: sync version, saved last, detail, later start, higher category, longer", () => {
  const base = night("watch", FROM, [
    ["core", 30],
    ["deep", 30],
    ["gap", 60],
    ["rem", 30],
  ]);
  const told = (a: [StageName, number, number, object?], b: [StageName, number, number, object?]) => {
    const [x, y] = [a, b].map(([stage, from, to, attributes = {}]) =>
      segment("watch", stage, [clock(60 + from), clock(60 + to)], { attributes }),
    ) as [ReturnType<typeof segment>, ReturnType<typeof segment>];
    const [one, other] = [only([...base, x, y]), only([...base, y, x])];
    expect(one).toEqual(other);
    return [one.light_s, one.deep_s, one.rem_s, one.awake_s, one.unspecified_s].map((s) => (s ?? 0) / 60);
  };
  expect(told(["asleep", 0, 60, { sync_version: 2 }], ["core", 0, 60, { sync_version: 1, created: 9 }])).toEqual([
    30, 30, 30, 0, 60,
  ]);
  expect(told(["asleep", 0, 60, { created: 2 }], ["core", 0, 60, { created: 1 }])).toEqual([30, 30, 30, 0, 60]);
  expect(told(["asleep", 0, 60], ["awake", 0, 60])).toEqual([30, 30, 30, 60, 0]);
  expect(told(["core", 0, 60], ["awake", 10, 60])).toEqual([90, 30, 30, 0, 0]);
  expect(told(["core", 10, 60], ["rem", 0, 60])).toEqual([80, 30, 40, 0, 0]);
  expect(told(["core", 0, 60], ["deep", 0, 60])).toEqual([30, 90, 30, 0, 0]);
  expect(told(["core", 0, 30], ["core", 0, 60])).toEqual([90, 30, 30, 0, 0]);
});

test("the same row twice counts once", () => {
  const once = night("watch", FROM, [
    ["core", 60],
    ["deep", 30],
  ]);
  const again = night("watch", FROM, [
    ["core", 60],
    ["deep", 30],
  ]);
  const [alone, twice] = [only(once), only([...once, ...again])];
  expect(twice).toEqual({
    ...alone,
    provenance: { ...alone.provenance, set_aside: { duplicates: 2, conflicts: 0, too_long: 0 } },
  });
});

test("bedtime and rise are those of the bed, of whatever source, and give a latency", () => {
  const sleep = night("watch", FROM, [
    ["core", 200],
    ["rem", 100],
  ]);
  const bed = rows("phone", [["inBed", "2026-03-10T21:40:00Z", "2026-03-11T03:10:00Z"]]);
  expect(only([...sleep, ...bed])).toMatchObject({
    start_at: clock(-20),
    end_at: clock(310),
    onset_latency_s: 1200,
    time_in_bed_s: 330 * 60,
    efficiency: 300 / 330,
    provenance: { in_bed_sources: ["com.apple.health.2|iPhone15,2"] },
  });
});

test("the bed is clipped to two hours before the onset and one after the final wake", () => {
  const sleep = night("watch", FROM, [
    ["awake", 10],
    ["core", 200],
    ["rem", 100],
  ]);
  const bed = rows("phone", [["inBed", "2026-03-10T19:00:00Z", "2026-03-11T09:00:00Z"]]);
  expect(only([...sleep, ...bed])).toMatchObject({ start_at: clock(10 - 120), end_at: clock(310 + 60) });
});

test("the bed never begins or ends inside the stages", () => {
  const sleep = night("watch", FROM, [
    ["core", 200],
    ["rem", 100],
    ["awake", 90],
  ]);
  const bed = rows("phone", [["inBed", "2026-03-10T23:00:00Z", "2026-03-11T01:00:00Z"]]);
  expect(only([...sleep, ...bed])).toMatchObject({ start_at: clock(0), end_at: clock(390), onset_latency_s: 0 });
});

test("in-bed rows that touch are one stay in bed, and those that do not meet the night are none of its", () => {
  const sleep = night("watch", FROM, [
    ["core", 200],
    ["rem", 100],
  ]);
  const bed = rows("phone", [
    ["inBed", "2026-03-10T20:30:00Z", "2026-03-10T20:50:00Z"],
    ["inBed", "2026-03-10T21:20:00Z", "2026-03-10T21:40:00Z"],
    ["inBed", "2026-03-10T21:30:00Z", "2026-03-10T21:35:00Z"],
    ["inBed", "2026-03-10T21:40:00Z", "2026-03-10T22:10:00Z"],
    ["inBed", "2026-03-11T03:05:00Z", "2026-03-11T03:20:00Z"],
  ]);
  expect(only([...sleep, ...bed])).toMatchObject({ start_at: clock(-40), end_at: clock(300), onset_latency_s: 2400 });
});

test("one stay in bed with two sleeps: the bed of one does not reach into the other", () => {
  const sleep = night("watch", FROM, [
    ["core", 100],
    ["rem", 20],
    ["gap", 90],
    ["core", 100],
    ["rem", 100],
  ]);
  const bed = rows("phone", [["inBed", "2026-03-10T21:40:00Z", "2026-03-11T05:30:00Z"]]);
  expect(sessions([...sleep, ...bed]).map(({ start_at, end_at }) => [start_at, end_at])).toEqual([
    [clock(-20), clock(180)],
    [clock(120), clock(450)],
  ]);
});
