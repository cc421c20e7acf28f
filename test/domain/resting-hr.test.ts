import * as fc from "fast-check";
import { expect, test } from "vitest";
import { percentile, restingHr } from "../../src/domain/resting-hr.ts";
import type { Attributes, Sample } from "../../src/domain/sample.ts";
import { aSample, at, changed, shuffled, uuid } from "./make.ts";

const MIDNIGHT = at("2026-03-10T00:00:00Z");
const minutes = (n: number): number => MIDNIGHT + n * 60_000;
const beat = (minute: number, value: number, attributes: Attributes = {}, tz = "UTC"): Sample =>
  aSample({ sample_id: uuid(minute + 1), start_at: minutes(minute), value, attributes, tz });
const walk = (from: number, to: number, attributes: Attributes = {}): Sample =>
  aSample({ metric: "steps", start_at: minutes(from), end_at: minutes(to), value: 10, attributes });
const workout = (from: number, to: number): Sample =>
  aSample({ metric: "workout", sample_id: uuid(5000 + from), start_at: minutes(from), end_at: minutes(to), value: 0 });
/** One heart rate in each 5-minute bin. */
const bins = (values: number[], first = 60): Sample[] => values.map((value, n) => beat(first + 5 * n, value));

const rest = (over: Partial<Parameters<typeof restingHr>[0]>) =>
  restingHr({ date: "2026-03-10", heart: [], steps: [], night: null, workouts: [], ...over });

const HOUR_60 = Array.from({ length: 12 }, () => 60);

test("resting heart rate is the least mean of bin medians over 30 minutes of the night", () => {
  const heart = bins([...HOUR_60, 50, 51, 52, 53, 54, 55, ...HOUR_60]);
  expect(rest({ heart })).toMatchObject({ value: 52.5, provenance: { step: 2, n: 30, bins: 30 } });
});

test("a bin counts by its median", () => {
  const heart = [...bins(HOUR_60), beat(61, 40), beat(62, 60), beat(63, 61)];
  expect(rest({ heart })).toMatchObject({ value: 60, provenance: { n: 15, bins: 12 } });
  expect(rest({ heart: [...bins(HOUR_60.slice(1), 65), beat(61, 40), beat(62, 60)] })?.value).toBeCloseTo(
    (50 + 60 * 3) / 4,
  );
});

test("a window needs 4 of 6 bins filled", () => {
  const scattered = [0, 1, 2, 9, 10, 11, 18, 19, 20, 27, 28, 29].map((n) => beat(60 + 5 * n, 50));
  expect(rest({ heart: scattered })).toBeNull();
  expect(rest({ heart: [...scattered, beat(60 + 5 * 5, 70)] })?.value).toBe(55);
});

test("fewer than 12 bins are no night", () => {
  expect(rest({ heart: bins(HOUR_60.slice(1)) })).toBeNull();
  expect(rest({ heart: bins(HOUR_60) })?.value).toBe(60);
});

test("heart rates within 12 minutes of a step do not count", () => {
  const heart = bins([40, ...HOUR_60]);
  expect(rest({ heart })?.value).toBeLessThan(60);
  expect(rest({ heart, steps: [walk(48, 48)] })?.value).toBe(60);
  expect(rest({ heart, steps: [walk(30, 47)] })?.value).toBeLessThan(60);
  expect(rest({ heart: bins([...HOUR_60, 60, 60, 60]), steps: [walk(58, 60)] })?.provenance).toMatchObject({
    bins: 12,
  });
  expect(rest({ heart: bins(HOUR_60), steps: [walk(0, 100), walk(1, 2)] })).toBeNull();
});

test("aggregated steps count only where there are no samples", () => {
  const hourly = walk(0, 420, { aggregated: true });
  expect(rest({ heart: bins(HOUR_60), steps: [hourly] })).toBeNull();
  expect(rest({ heart: bins(HOUR_60), steps: [hourly, walk(50, 51)] })).toBeNull();
  expect(rest({ heart: bins([...HOUR_60, 60]), steps: [hourly, walk(50, 51)] })?.value).toBe(60);
});

test("heart rates of a workout and of motion do not count", () => {
  const heart = bins([40, ...HOUR_60]);
  expect(rest({ heart, workouts: [workout(50, 60)] })?.value).toBe(60);
  expect(rest({ heart: [beat(60, 40, { motion_context: 2 }), ...bins(HOUR_60, 65)] })?.value).toBe(60);
  expect(rest({ heart: [beat(60, 40, { motion_context: 1 }), ...bins(HOUR_60, 65)] })?.value).toBeLessThan(60);
});

test("the night is 00:00 to 07:00 by each sample's own clock, unless a sleep is given", () => {
  const noon = bins(HOUR_60, 720);
  expect(rest({ heart: noon })).toBeNull();
  expect(rest({ heart: noon.map((sample) => changed(sample, { tz: "America/New_York" })) })).toBeNull();
  expect(rest({ heart: bins(HOUR_60, 420) })).toBeNull();
  expect(rest({ heart: bins(HOUR_60, 420).map((sample) => changed(sample, { tz: "-02:00" })) })?.value).toBe(60);
  expect(rest({ heart: noon, night: { from: minutes(720), to: minutes(775) } })?.value).toBe(60);
  expect(rest({ heart: noon, night: { from: minutes(721), to: minutes(775) } })).toBeNull();
  expect(rest({ heart: noon, night: { from: minutes(720), to: minutes(774) } })).toBeNull();
});

test("the night of another date is not read", () => {
  expect(rest({ date: "2026-03-09", heart: bins(HOUR_60) })).toBeNull();
});

test("without a night it is the 5th percentile of 30 sedentary samples of the day", () => {
  const sedentary = Array.from({ length: 30 }, (_, n) => beat(600 + n, 61 + n, { motion_context: 1 }));
  const moving = beat(700, 30, { motion_context: 2 });
  const result = rest({ heart: [...sedentary, moving] });
  expect(result?.value).toBeCloseTo(62.45);
  expect(result?.provenance).toEqual({ step: 3, n: 30 });
  expect(result?.inputs).toHaveLength(30);
  expect(rest({ heart: sedentary.slice(1) })).toBeNull();
});

test("aggregates enter only on days without samples (D21)", () => {
  const points = bins(HOUR_60).map((sample) => changed(sample, { attributes: { aggregated: true } }));
  expect(rest({ heart: points })?.value).toBe(60);
  expect(rest({ heart: [...points, beat(100, 70)] })).toBeNull();
});

test("percentiles are interpolated linearly (D16)", () => {
  expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(percentile([10], 0.05)).toBe(10);
  expect(percentile([1, 2, 3], 1)).toBe(3);
});

test("the order of samples does not matter", () => {
  const heart = fc
    .array(fc.record({ minute: fc.integer({ min: 0, max: 90 }), value: fc.integer({ min: 40, max: 90 }) }), {
      minLength: 30,
      maxLength: 80,
    })
    .map((all) =>
      all.map(({ minute, value }, n) => ({ ...beat(minute, value, { motion_context: n % 3 }), sample_id: uuid(n) })),
    );
  fc.assert(
    fc.property(shuffled(heart), ([a, b]) => {
      expect(rest({ heart: b })?.value).toBe(rest({ heart: a })?.value);
    }),
  );
});
