import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  FLOORS,
  type Series,
  compareWith,
  isProvisional,
  medianOf,
  valuesOf,
} from "../../../src/domain/history/baseline.ts";
import { temperatureDeviation } from "../../../src/domain/history/wrist-temperature.ts";

const DAY = 1000;
/** Values of the days before DAY, the last one of the day before. */
const before = (values: readonly number[]): Map<number, number> =>
  new Map(values.map((value, at) => [DAY - values.length + at, value] as const));
const alternating = (n: number): number[] => Array.from({ length: n }, (_, at) => (at % 2 === 0 ? 50 : 54));
const compare = (value: number, series: Series) => compareWith(value, { series, day: DAY, floor: FLOORS.relative });

test("a baseline is the mean and the sample standard deviation, n−1 (D14)", () => {
  const result = compare(55, before([...Array.from({ length: 13 }, () => 50), 64]));
  expect(result).toMatchObject({ baseline: { n: 14, mean: 51 } });
  if ("missing" in result) throw new Error(result.missing);
  expect(result.baseline.sd).toBeCloseTo(Math.sqrt((13 * 1 + 169) / 13), 12);
  expect(result.z).toBeCloseTo(4 / Math.sqrt(14), 12);
});

test("it needs 14 days, and is provisional below 28", () => {
  expect(compare(50, before(alternating(13)))).toEqual({ missing: "too_few_days", n: 13 });
  const flags = [14, 27, 28, 60].map((n) => {
    const result = compare(50, before(alternating(n)));
    return "missing" in result ? null : [result.baseline.n, isProvisional(result.baseline)];
  });
  expect(flags).toEqual([
    [14, true],
    [27, true],
    [28, false],
    [60, false],
  ]);
});

test("the standard deviation is at least 2 % of the mean, of temperatures 0.1 °C", () => {
  const still = before(Array.from({ length: 20 }, () => 50));
  expect(compare(51, still)).toMatchObject({ z: 1, baseline: { sd: 1 } });
  expect(compareWith(50.3, { series: still, day: DAY, floor: FLOORS.degrees })).toMatchObject({
    baseline: { sd: 0.1 },
  });
});

test("where neither values nor floor vary there is no deviation to speak of", () => {
  expect(compare(3, before(Array.from({ length: 20 }, () => 0)))).toEqual({ missing: "no_spread", n: 20 });
});

test("it reads D−60 to D−1, and nothing else matters, nor the order in which days came", () => {
  const values = fc.array(fc.tuple(fc.integer({ min: -120, max: 120 }), fc.integer({ min: 40, max: 80 })), {
    minLength: 60,
    maxLength: 200,
  });
  fc.assert(
    fc.property(values, (all) => {
      const series = new Map(all.map(([back, value]) => [DAY + back, value] as const));
      const inside = new Map([...series].filter(([day]) => day >= DAY - 60 && day < DAY));
      const backwards = new Map([...series].toReversed());
      expect(compare(60, series)).toEqual(compare(60, inside));
      expect(compare(60, backwards)).toEqual(compare(60, series));
    }),
  );
});

test("values of a span come ascending, ends included", () => {
  const series = new Map([5, 3, 9, 4].map((day) => [day, day * 10] as const));
  expect(valuesOf(series, 3, 5)).toEqual([
    [3, 30],
    [4, 40],
    [5, 50],
  ]);
});

const median = (...values: number[]) => medianOf(values.map((value, at) => [at, value] as const));

test("the median of an even number is the mean of the two in the middle", () => {
  expect([median(3), median(9, 1), median(5, 1, 3), median(1, 9, 3, 5)]).toEqual([3, 5, 3, 4]);
});

test("wrist temperature deviates from the median of up to 28 nights, of which 5 must be there (§5.5)", () => {
  expect(temperatureDeviation(35.5, before([35, 35.2, 35.1, 36]), DAY)).toBeNull();
  const five = temperatureDeviation(35.5, before([35, 35.2, 35.1, 36, 34]), DAY);
  expect(five?.median).toBe(35.1);
  expect(five?.deviation).toBeCloseTo(0.4, 9);
  const many = temperatureDeviation(
    35.5,
    before([...Array.from({ length: 40 }, () => 30), ...Array.from({ length: 28 }, () => 35)]),
    DAY,
  );
  expect(many).toMatchObject({ deviation: 0.5, median: 35, read: { length: 28 } });
});
