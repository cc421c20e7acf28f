import { expect, test } from "vitest";
import type { AthleteSettings, Sample } from "../../../src/domain/sample.ts";
import { type Origin, type StageName, keyOf, night, sessions } from "./night.ts";

const FROM = "2026-03-10T22:00:00Z";
const staged = (origin: Origin, minutes = 400): Sample[] =>
  night(origin, FROM, [
    ["core", minutes - 60],
    ["rem", 60],
  ]);
const plain = (origin: Origin, minutes = 400, stage: StageName = "asleep"): Sample[] =>
  night(origin, FROM, [[stage, minutes]]);

const decided = (samples: Sample[], order: readonly string[] = []) => {
  const settings: AthleteSettings = { zones: [], source_order: { sleep_analysis: order } };
  const provenance = sessions(samples, settings)[0]?.provenance;
  return [provenance?.["winner"], provenance?.["decided_by"]];
};

test("a: stages, whatever the device", () => {
  expect(decided([...plain("watch"), ...staged("manual", 100)])).toEqual([keyOf("manual"), "a"]);
});

test.each<[Origin, Origin]>([
  ["watch", "ring"],
  ["ring", "bed"],
  ["bed", "phone"],
  ["bed", "app"],
  ["phone", "manual"],
  ["app", "manual"],
])("b: %s before %s", (better, worse) => {
  expect(decided([...staged(worse, 480), ...staged(better)], [keyOf(worse)])).toEqual([keyOf(better), "b"]);
});

test("c: more sleep, of all its sessions in the cluster", () => {
  expect(decided([...staged("phone", 300), ...staged("app", 301)], [keyOf("phone")])).toEqual([keyOf("app"), "c"]);
  const split = night("app", FROM, [
    ["core", 100],
    ["rem", 60],
    ["gap", 70],
    ["asleep", 200],
  ]);
  expect(decided([...staged("phone", 350), ...split])).toEqual([keyOf("app"), "c"]);
});

test("d: the athlete's own order", () => {
  expect(decided([...staged("phone"), ...staged("app")], [keyOf("app"), keyOf("phone")])).toEqual([keyOf("app"), "d"]);
  expect(decided([...staged("phone"), ...staged("app")], [keyOf("app")])).toEqual([keyOf("app"), "d"]);
});

test("e: the smallest source key", () => {
  expect(decided([...staged("phone"), ...staged("app")])).toEqual([keyOf("phone"), "e"]);
});

test("a source alone needs no rule", () => {
  expect(decided(staged("phone"))).toEqual([keyOf("phone"), null]);
});

test("a source that nothing is known of is a device, and one row of a sensor outranks what a person typed", () => {
  const unknown = staged("app").map((row) => ({ ...row, source: "X", attributes: {} }));
  expect(decided([...staged("phone", 480), ...unknown])).toEqual(["X", "b"]);
  const [first, ...rest] = staged("app");
  const typed = rest.map((row) => ({ ...row, attributes: { ...row.attributes, device_class: "manual" as const } }));
  expect(decided([first as Sample, ...typed, ...staged("manual", 480)])).toEqual([keyOf("app"), "b"]);
});

test("all sessions of the winning source stay, and every source is listed, best first", () => {
  const watch = night("watch", FROM, [
    ["core", 60],
    ["rem", 60],
    ["gap", 90],
    ["core", 60],
  ]);
  const all = sessions([...plain("app", 300), ...watch, ...plain("manual", 310)]);
  const names = (kept: boolean) =>
    all.filter(({ superseded_by }) => (superseded_by === null) === kept).map(({ source }) => source);
  expect(names(true)).toEqual([keyOf("watch"), keyOf("watch")]);
  expect(names(false).toSorted()).toEqual([keyOf("manual"), keyOf("app")].toSorted());
  expect(all[0]?.provenance["sources"]).toEqual([
    {
      source_key: keyOf("watch"),
      device_class: "watch",
      has_stages: true,
      total_sleep_s: 10_800,
      segments: 3,
      sessions: 2,
    },
    {
      source_key: keyOf("app"),
      device_class: "app",
      has_stages: false,
      total_sleep_s: 18_000,
      segments: 1,
      sessions: 1,
    },
    {
      source_key: keyOf("manual"),
      device_class: "manual",
      has_stages: false,
      total_sleep_s: 18_600,
      segments: 1,
      sessions: 1,
    },
  ]);
});
