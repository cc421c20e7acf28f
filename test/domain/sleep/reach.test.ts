import { expect, test } from "vitest";
import { needsWider, wakingSpan } from "../../../src/domain/sleep/reach.ts";
import { inputSpan } from "../../../src/domain/window.ts";
import { at } from "../make.ts";
import { rows } from "./night.ts";

const span = (from: string, to: string) => ({ from: at(`2026-03-${from}:00Z`), to: at(`2026-03-${to}:00Z`) });
const READ = span("10T00:00", "12T00:00");
const WANTED = span("10T12:00", "11T12:00");
const MARGIN = 3_600_001;
const asleep = (...list: [string, string][]) =>
  rows(
    "watch",
    list.map(([from, to]) => ["asleep", `2026-03-${from}:00Z`, `2026-03-${to}:00Z`] as const),
  );

test("a night that ends well inside what was read needs no more", () => {
  expect(needsWider(asleep(["10T22:00", "11T06:00"]), READ, WANTED)).toBeNull();
  expect(needsWider([], READ, WANTED)).toBeNull();
});

test("sleep that reaches the edge, row by row, asks for what lies beyond, and an hour and a moment more", () => {
  const chain = asleep(["10T00:30", "10T05:00"], ["10T06:00", "10T11:00"], ["10T12:00", "10T13:00"]);
  const wider = needsWider(chain, READ, WANTED);
  expect(wider).toEqual({ from: at("2026-03-10T00:30:00Z") - MARGIN, to: READ.to });
  expect(needsWider(chain, wider ?? READ, WANTED)).toBeNull();
  const late = asleep(["11T11:00", "11T23:30"]);
  expect(needsWider(late, READ, WANTED)).toEqual({ from: READ.from, to: at("2026-03-11T23:30:00Z") + MARGIN });
});

test("a gap of over an hour ends it, and a night at the edge that is not linked is left alone", () => {
  expect(needsWider(asleep(["09T23:00", "10T10:00"], ["10T11:01", "10T13:00"]), READ, WANTED)).toBeNull();
  expect(needsWider(asleep(["11T13:01", "12T01:00"]), READ, WANTED)).toBeNull();
});

test("rows in bed count, overlong ones do not", () => {
  const bed = rows("phone", [["inBed", "2026-03-09T23:00:00Z", "2026-03-10T12:00:00Z"]]);
  expect(needsWider(bed, READ, WANTED)?.from).toBe(at("2026-03-09T23:00:00Z") - MARGIN);
  expect(needsWider(asleep(["09T11:00", "10T12:00"]), READ, WANTED)).toBeNull();
});

test("a date's sessions can wake whenever it is that date anywhere on Earth", () => {
  const { from, to } = wakingSpan("2026-03-10", "2026-03-11");
  expect([from, to]).toEqual([at("2026-03-09T10:00:00Z"), at("2026-03-12T12:00:00Z")]);
  const reach = inputSpan("2026-03-10");
  expect(wakingSpan("2026-03-10", "2026-03-10")).toEqual({
    from: reach.from + 36 * 3_600_000,
    to: reach.to - 36 * 3_600_000,
  });
});
