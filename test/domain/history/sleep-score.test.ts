import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type ScoredNight, sleepScore } from "../../../src/domain/history/sleep-score.ts";

type Row = [tst: number, deep: number | null, rem: number | null, d: number | null, waso: number, awakenings: number];
const minutes = (n: number | null): number | null => (n === null ? null : n * 60);
const night = ([tst, deep, rem, d, waso, awakenings]: Row): ScoredNight => ({
  total_sleep_s: tst * 60,
  deep_s: minutes(deep),
  rem_s: minutes(rem),
  awake_s: waso * 60,
  wakeup_count: awakenings,
  bedtime_deviation: d,
});

test.each<[Row, [number, number | null, number], number]>([
  [[470, 70, 100, 0, 12, 1], [50, 30, 20], 100],
  [[435, 60, 90, 10, 25, 2], [47.2, 30, 17.86], 95],
  [[350, 20, 60, 90, 55, 3], [34.52, 8.57, 10], 53],
  [[540, 90, 120, -45, 18, 0], [50, 24, 20], 94],
  [[400, null, null, null, 30, 1], [43.33, null, 17.71], 87],
  [[300, 45, 60, 130, 10, 1], [30, 0, 20], 50],
])("the worked row %j gives %j and %i (healthkit.md §4.2)", (row, [duration, bedtime, interruptions], score) => {
  const result = sleepScore(night(row));
  expect(result?.score).toBe(score);
  expect(result?.components.duration).toBeCloseTo(duration, 1);
  expect(result?.components.bedtime ?? -1).toBeCloseTo(bedtime ?? -1, 2);
  expect(result?.components.interruptions).toBeCloseTo(interruptions, 2);
});

test("the night of partial-sleep.xml scores 29: no duration, no bedtime, all interruptions (§3.3)", () => {
  const result = sleepScore(night([90, null, null, null, 0, 0]));
  expect(result).toEqual({ score: 29, components: { duration: 0, bedtime: null, interruptions: 20 } });
});

test("under an hour of sleep there is no score", () => {
  expect(sleepScore(night([59, null, null, 0, 0, 0]))).toBeNull();
  expect(sleepScore(night([60, null, null, 0, 0, 0]))?.score).toBe(50);
});

test.each([
  [2, 0],
  [3, 9],
  [4, 18],
  [5, 30],
  [6.5, 42],
  [7, 46],
  [7 + 50 / 60, 50],
  [14, 50],
])("%f hours without stages earn %f of 50 points", (hours, points) => {
  expect(sleepScore(night([hours * 60, null, null, null, 0, 0]))?.components.duration).toBeCloseTo(points, 9);
});

const staged = (deep: number, rem: number, tst = 480) =>
  sleepScore(night([tst, deep, rem, null, 0, 0]))?.components.duration;
const gone = (d: number) => sleepScore(night([480, null, null, d, 0, 0]))?.components.bedtime;
const woken = (n: number) => sleepScore(night([480, null, null, null, 90, n]))?.components.interruptions;
const some = (max: number) => fc.option(fc.integer({ min: 0, max }));

test("little deep or REM sleep costs up to 5 points each, and never more than there are", () => {
  expect(staged(0, 480)).toBe(45);
  expect(staged(480, 0)).toBe(45);
  expect(staged(0, 0)).toBe(40);
  expect(staged(24, 480)).toBeCloseTo(47.5);
  expect(staged(0, 0, 90)).toBe(0);
});

test("a quarter of an hour off costs nothing, two hours late all, early at most 6 points", () => {
  expect([15, -15, 120, 500, -36, -300].map(gone)).toEqual([30, 30, 0, 0, 24, 24]);
  expect(gone(67.5)).toBeCloseTo(15);
});

test("awakenings earn 4, 4, 3, 2, then nothing; without WASO the component is unknown", () => {
  expect([0, 1, 2, 3, 4, 9].map(woken)).toEqual([4, 4, 3, 2, 0, 0]);
  const unknown = { ...night([480, null, null, null, 0, 0]), awake_s: null };
  expect(sleepScore(unknown)).toEqual({ score: 100, components: { duration: 50, bedtime: null, interruptions: null } });
  expect(sleepScore({ ...unknown, awake_s: 0, wakeup_count: null })?.components.interruptions).toBeNull();
});

test("any night scores 0 to 100, and more sleep never scores less", () => {
  const nights = fc.record({
    total_sleep_s: fc.integer({ min: 3600, max: 80_000 }),
    deep_s: fc.constant(null),
    rem_s: fc.constant(null),
    awake_s: some(30_000),
    wakeup_count: some(30),
    bedtime_deviation: fc.option(fc.integer({ min: -900, max: 900 })),
  });
  fc.assert(
    fc.property(nights, fc.nat(20_000), (one, more) => {
      const score = sleepScore(one)?.score as number;
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(100);
      expect(sleepScore({ ...one, total_sleep_s: one.total_sleep_s + more })?.score).toBeGreaterThanOrEqual(score);
    }),
  );
});
