import * as fc from "fast-check";
import { expect, test } from "vitest";
import { historyOf } from "../../../src/domain/history/history-of.ts";
import { readiness } from "../../../src/domain/history/readiness.ts";
import { CHOICES, CURRENT_RULES, READINESS_RULES, chooseRules } from "../../../src/domain/history/rules.ts";
import { digest } from "../make.ts";
import { D, days, usual } from "./make.ts";

test("the first version of each rule is in force until another is chosen", () => {
  expect(chooseRules([])).toEqual(CURRENT_RULES);
  expect(chooseRules(["readiness/2"])).toEqual({ readiness: "readiness/2" });
  expect(chooseRules(["readiness/2", "readiness/1"])).toEqual(CURRENT_RULES);
  expect(CHOICES).toEqual(["readiness/1", "readiness/2"]);
  expect(() => chooseRules(["stress/9"])).toThrow("stress/9 is none of readiness/1, readiness/2");
});

test("readiness/2 ignores HRV within half a standard deviation, and is readiness/1 of the rest", () => {
  const second = READINESS_RULES["readiness/2"];
  expect(second({ hrv: 0.5, resting_hr: 0 })?.score).toBe(70);
  expect(second({ hrv: -0.4, resting_hr: 0 })?.score).toBe(70);
  expect(second({ hrv: -1.5 })).toEqual(readiness({ hrv: -1 }));
  const z = fc.double({ min: -5, max: 5, noNaN: true });
  fc.assert(
    fc.property(z, z, (hrv, sleep_score) => {
      const [first, other] = [readiness({ hrv, sleep_score }), second({ hrv, sleep_score })];
      expect(Math.abs(other?.z as number)).toBeLessThanOrEqual(Math.abs(first?.z as number) + 0.5);
      expect(second({ resting_hr: hrv, sleep_score })).toEqual(readiness({ resting_hr: hrv, sleep_score }));
    }),
  );
});

test("a version that is chosen makes the values, under its own method; nothing else changes", () => {
  const past = new Map([...days(60, usual), [D, { final: true, ...usual(0), hrv: 90 }] as const]);
  const [first, second] = [
    historyOf(past, [D], digest).get(D),
    historyOf(past, [D], digest, chooseRules(["readiness/2"])).get(D),
  ];
  expect(first?.metrics.map(({ method }) => method)).toContain("readiness/1");
  expect(second?.metrics.map(({ method }) => method)).toContain("readiness/2");
  expect(second?.metrics[0]?.value).toBeLessThan(first?.metrics[0]?.value as number);
  expect(second?.metrics.slice(1)).toEqual(first?.metrics.slice(1));
});
