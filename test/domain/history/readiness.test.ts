import * as fc from "fast-check";
import { expect, test } from "vitest";
import { READINESS_TERMS, readiness, readinessTerm } from "../../../src/domain/history/readiness.ts";

const ZERO = { hrv: 0, resting_hr: 0, sleep_score: 0, respiratory_rate: 0, skin_temp: 0 };

test("the worked examples of §5.3: all as usual, a bad day, and a good one without breath and temperature", () => {
  expect(readiness(ZERO)).toEqual({ score: 70, z: 0, weight: 1 });
  const bad = readiness({ hrv: -1.5, resting_hr: 1.2, sleep_score: -0.5, respiratory_rate: 0.8, skin_temp: 1 });
  expect(bad?.z).toBeCloseTo(-1.115, 9);
  expect(bad?.score).toBe(48);
  const good = readiness({ hrv: 1, resting_hr: -1, sleep_score: 0.5 });
  expect(good?.z).toBeCloseTo(0.861, 3);
  expect(good).toMatchObject({ score: 87, weight: 0.9 });
});

test("it needs HRV or the resting heart rate, and 40 % of the weight", () => {
  expect(readiness({ hrv: 0 })?.score).toBe(70);
  expect(readiness({ resting_hr: 0 })).toBeNull();
  expect(readiness({ resting_hr: 0, respiratory_rate: 0, skin_temp: 0 })).toBeNull();
  expect(readiness({ resting_hr: 0, sleep_score: 0 })?.weight).toBe(0.5);
  expect(readiness({ sleep_score: 0, respiratory_rate: 0, skin_temp: 0 })).toBeNull();
  expect(readiness({})).toBeNull();
});

test("slower breath is not good, temperature is bad either way, and each term ends at 3", () => {
  expect(readinessTerm("respiratory_rate", -2)).toBe(0);
  expect([-1, 1].map((z) => readinessTerm("skin_temp", z))).toEqual([-1, -1]);
  expect(READINESS_TERMS.map((term) => readinessTerm(term, 9))).toEqual([3, -3, 3, -3, -3]);
  expect(READINESS_TERMS.map((term) => readinessTerm(term, -9))).toEqual([-3, 3, -3, 0, -3]);
});

test("any z gives 0 to 100, and a better HRV never gives less", () => {
  const z = fc.double({ min: -50, max: 50, noNaN: true });
  fc.assert(
    fc.property(
      fc.record({ hrv: z, resting_hr: z, sleep_score: z, skin_temp: z, respiratory_rate: z }),
      z,
      (all, hrv) => {
        const [one, other] = [readiness(all)?.score as number, readiness({ ...all, hrv })?.score as number];
        expect(one).toBeGreaterThanOrEqual(0);
        expect(one).toBeLessThanOrEqual(100);
        expect(Math.sign(one - other) * Math.sign(all.hrv - hrv)).toBeGreaterThanOrEqual(0);
      },
    ),
  );
});
