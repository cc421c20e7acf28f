import { expect, test } from "vitest";
import { athleteMetric } from "../../../src/domain/athlete-metrics.ts";
import { type Wish, decideEdit } from "../../../src/edits/decide.ts";
import { latestDate } from "../../../src/edits/apply.ts";
import type { MetricRow } from "../../../src/flow/metric-rows.ts";

const WEIGHT = athleteMetric("weight") ?? expect.fail("no weight");
const KEY = { date: "2026-11-21", metric: "weight", source: "manual" } as const;

const manual: MetricRow = {
  ...KEY,
  value: 70,
  unit: "kg",
  locked: false,
  synced_value: null,
  is_final: true,
  method: null,
  input_hash: null,
  provenance: null,
};
const synced: MetricRow = { ...manual, source: "apple_health", value: 71, method: "day_latest/1", input_hash: "h" };
const locked: MetricRow = { ...synced, value: 69, locked: true, synced_value: 71 };
const orphan: MetricRow = { ...locked, synced_value: null, method: null, input_hash: null };

const decide = (before: MetricRow | null, wish: Wish) =>
  decideEdit(WEIGHT, before ? { ...KEY, source: before.source } : KEY, before, wish);
const change = (value: number | null, lock: boolean): Wish => ({ kind: "change", value, locked: lock });
const enter = (value: number, lock: boolean | null = null): Wish => ({ kind: "enter", value, locked: lock });

test("a first manual value is not locked: it outranks what is computed already", () => {
  expect(decide(null, enter(70))).toEqual({ action: "set", after: manual });
  expect(decide(null, enter(70, true))).toEqual({ action: "set", after: { ...manual, locked: true } });
});

test("a manual value that is entered again keeps its lock, unless told otherwise", () => {
  const before = { ...manual, locked: true };
  expect(decide(before, enter(72))).toEqual({ action: "set", after: { ...before, value: 72 } });
  expect(decide(before, enter(72, false))).toEqual({ action: "set", after: { ...manual, value: 72 } });
});

test("an edit locks a computed value, and keeps what the sync wrote beside it", () => {
  expect(decide(synced, change(69, true))).toEqual({ action: "edit", after: locked });
  expect(decide(locked, change(68, true))).toEqual({ action: "edit", after: { ...locked, value: 68 } });
});

test("a lock without a value keeps the value, and its copy to be brought back", () => {
  expect(decide(synced, change(null, true))).toEqual({
    action: "lock",
    after: { ...synced, locked: true, synced_value: 71 },
  });
});

test("unlocking brings the synced value back", () => {
  expect(decide(locked, change(null, false))).toEqual({ action: "unlock", after: synced });
});

test("unlocking a row whose inputs have vanished removes it", () => {
  expect(decide(orphan, change(null, false))).toEqual({ action: "unlock", after: null });
});

test("a locked row whose inputs have vanished can still be edited, and has nothing to bring back", () => {
  expect(decide(orphan, change(65, true))).toEqual({ action: "edit", after: { ...orphan, value: 65 } });
});

test.each([synced, locked, orphan])("a new value that is not locked is refused on a computed row", (before) => {
  expect(() => decide(before, change(60, false))).toThrow(/locked must be true/);
});

test("a manual row is changed and locked as told: no sync would undo it", () => {
  expect(decide(manual, change(65, false))).toEqual({ action: "edit", after: { ...manual, value: 65 } });
  expect(decide(manual, change(null, true))).toEqual({ action: "lock", after: { ...manual, locked: true } });
  expect(decide({ ...manual, locked: true }, change(null, false))).toEqual({ action: "unlock", after: manual });
});

test.each<[MetricRow | null, Wish]>([
  [manual, enter(70)],
  [manual, change(70, false)],
  [manual, change(null, false)],
  [synced, change(null, false)],
  [locked, change(69, true)],
  [locked, change(null, true)],
  [null, { kind: "delete" }],
])("a wish that is fulfilled changes nothing: %j %j", (before, wish) => {
  expect(decide(before, wish)).toEqual({ action: null, after: before });
});

test("a manual value can be taken back", () => {
  expect(decide(manual, { kind: "delete" })).toEqual({ action: "delete", after: null });
});

test("there is nothing to change where there is no row, and the answer says what to do", () => {
  expect(() => decide(null, change(70, true))).toThrow(/PUT a manual value first/);
  expect(() => decideEdit(WEIGHT, { ...KEY, source: "derived" }, null, change(70, true))).toThrow(/instead/);
});

const NOW = Date.parse("2026-11-21T22:30:00Z");

test("the latest date is the athlete's own, in whichever of their zones it is latest", () => {
  const history = [{ from: 0, zone: "Europe/Amsterdam" }];
  expect(latestDate({ history, seen: [] }, NOW)).toBe("2026-11-21");
  expect(latestDate({ history, seen: ["Asia/Tokyo"] }, NOW)).toBe("2026-11-22");
  expect(latestDate({ history: [], seen: ["UTC"] }, NOW)).toBe("2026-11-21");
});

test("where nothing is known of an athlete, a date counts once it has begun anywhere on Earth", () => {
  expect(latestDate({ history: [], seen: [] }, NOW)).toBe("2026-11-22");
});
