import * as fc from "fast-check";
import { expect, test } from "vitest";
import { interpret } from "../../src/domain/interpret.ts";
import { rmssd } from "../../src/domain/rmssd.ts";
import { sent } from "./make.ts";

/** Beats with these intervals between them, from 0 s on. */
const beatsOf = (intervals: readonly number[]): [number, boolean][] => {
  let at = 0;
  return [[0, false], ...intervals.map((rr): [number, boolean] => [(at += rr), false])];
};
/** 0.80, 0.85, 0.80 … s: every pair differs by 50 ms. */
const alternating = (count: number): number[] => Array.from({ length: count }, (_, n) => (n % 2 === 0 ? 0.8 : 0.85));

const value = (beats: unknown): number => {
  const result = rmssd(beats);
  if ("kind" in result) throw new Error(result.detail);
  return result.value;
};
const refusal = (beats: unknown) => {
  const result = rmssd(beats);
  return "kind" in result ? [result.reason, result.field, result.detail] : null;
};

test("differences of 50 ms between all neighbours are an RMSSD of 50 ms", () => {
  expect(value(beatsOf(alternating(21)))).toBeCloseTo(50, 6);
  expect(value(beatsOf(Array.from({ length: 30 }, () => 1)))).toBeCloseTo(0, 6);
});

test("beats may be pairs or objects, and a missing flag is no gap", () => {
  const pairs = beatsOf(alternating(25));
  const objects = pairs.map(([sinceStart, precededByGap]) => ({ sinceStart, precededByGap }));
  const bare = pairs.map(([sinceStart]) => ({ sinceStart }));
  const numbers = pairs.map(([sinceStart]) => [sinceStart, 0]);
  for (const beats of [objects, bare, numbers]) expect(value(beats)).toBe(value(pairs));
});

test("nothing is read across a gap, however long it was", () => {
  const first = beatsOf(alternating(21));
  const offset = (first.at(-1)?.[0] ?? 0) + 60;
  const second = beatsOf(alternating(21)).map(([at, gap], n): [number, boolean] => [at + offset, n === 0 || gap]);
  expect(value([...first, ...second])).toBeCloseTo(50, 6);
  const flagged = [...first, ...second].map(([at, gap]) => [at, gap ? 1 : 0]);
  expect(value(flagged)).toBeCloseTo(50, 6);
});

test("pairs that differ by over 20 %, and intervals outside 0.3 to 2.0 s, are left out", () => {
  const calm = alternating(22);
  expect(value(beatsOf([...calm, 1.2, ...calm]))).toBeCloseTo(50, 6);
  expect(value(beatsOf([...calm, 0.28, ...calm]))).toBeCloseTo(50, 6);
  expect(value(beatsOf([...calm, 2.4, ...calm]))).toBeCloseTo(50, 6);
});

test.each<[string, unknown, string, RegExp]>([
  ["no beats", undefined, "bad_value", /metadata.beats must be a list/],
  ["beats in words", ["fast"], "bad_value", /beats\[0\]/],
  ["a time that is no number", [["0", false]], "bad_value", /beats\[0\]/],
  ["a time before the start", [[-1, false]], "bad_value", /beats\[0\]/],
  ["a time without end", [[Infinity, false]], "bad_value", /beats\[0\]/],
  ["a flag that is none", [[0, "no"]], "bad_value", /beats\[0\]/],
  [
    "times that go back",
    [
      [0, false],
      [1, false],
      [0.5, false],
    ],
    "bad_value",
    /beats\[2\] must come after/,
  ],
  ["too few pairs", beatsOf(alternating(20)), "bad_value", /20 pairs of plausible neighbours; there are 19/],
  ["beats closer than a heart can", beatsOf([...alternating(30), 0.26]), "out_of_range", /0.27 to 2.5 s/],
  ["a pause without a gap", beatsOf([...alternating(30), 2.6]), "out_of_range", /0.27 to 2.5 s/],
])("%s is refused with the reason", (_, beats, reason, detail) => {
  expect(refusal(beats)).toEqual([reason, "metadata", expect.stringMatching(detail)]);
});

test("when a series begins makes no difference, and every answer is a number or a refusal", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 308, max: 2047 }), { maxLength: 60 }), (ticks) => {
      // Whole 1024ths of a second, as the Watch counts: sums of them are exact.
      const beats = beatsOf(ticks.map((tick) => tick / 1024));
      const later = beats.map(([at, gap]) => [at + 1024, gap]);
      const [one, other] = [rmssd(beats), rmssd(later)];
      expect(other).toEqual(one);
    }),
    { numRuns: 300 },
  );
});

test("a heartbeat series is stored as hrv_rmssd in ms, with its beats, whatever value stands beside them", () => {
  const type = "HKDataTypeIdentifierHeartbeatSeries";
  const beats = beatsOf(alternating(21));
  const stored = interpret(sent({ type, value: 7, unit: null, metadata: JSON.stringify({ beats }) }));
  expect(stored).toMatchObject({
    kind: "ok",
    value: { metric: "hrv_rmssd", unit: "ms", attributes: { metadata: { beats } } },
  });
  expect(stored.kind === "ok" && stored.value.value).toBeCloseTo(50, 6);
  expect(interpret(sent({ type, value: 0, unit: null }))).toMatchObject({ kind: "dead", reason: "bad_value" });
});
