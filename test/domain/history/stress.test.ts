import * as fc from "fast-check";
import { expect, test } from "vitest";
import { normalDistribution } from "../../../src/domain/history/normal.ts";
import { stress } from "../../../src/domain/history/stress.ts";

test.each([
  [0, 0.5],
  [0.5, 0.691462461274013],
  [1, 0.841344746068543],
  [1.96, 0.97500210485178],
  [-2, 0.0227501319481792],
  [3, 0.99865010196837],
  [-5, 2.86651571879194e-7],
  [6, 0.999999999013412],
  [8.5, 1],
  [-8.5, 0],
])("Φ(%f) is %f within 1e-14", (x, value) => {
  expect(Math.abs(normalDistribution(x) - value)).toBeLessThan(1e-14);
});

test("Φ rises from 0 to 1, and Φ(−x) is 1 − Φ(x)", () => {
  const x = fc.double({ min: -12, max: 12, noNaN: true });
  fc.assert(
    fc.property(x, x, (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      expect(normalDistribution(high) - normalDistribution(low)).toBeGreaterThanOrEqual(-1e-14);
      expect(Math.abs(normalDistribution(a) + normalDistribution(-a) - 1)).toBeLessThan(1e-14);
      expect(normalDistribution(a)).toBeGreaterThanOrEqual(0);
      expect(normalDistribution(a)).toBeLessThanOrEqual(1);
    }),
  );
});

test("stress is 50 on a usual day, more with a faster heart, less with more variability", () => {
  expect(stress({ sedentary_hr: 0, ln_sdnn: 0 })).toBe(50);
  expect(stress({ sedentary_hr: 1, ln_sdnn: -1 })).toBe(84);
  expect(stress({ sedentary_hr: 1, ln_sdnn: 0 })).toBe(73);
  expect(stress({ sedentary_hr: 0, ln_sdnn: 1 })).toBe(34);
  expect(stress({ sedentary_hr: 40, ln_sdnn: 0 })).toBe(100);
  expect(stress({ sedentary_hr: -40, ln_sdnn: 0 })).toBe(0);
});
