import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { DayFacts } from "../../../src/domain/history/facts.ts";
import { dependents, historyOf } from "../../../src/domain/history/history-of.ts";
import type { LocalDate } from "../../../src/domain/sample.ts";
import { digest } from "../make.ts";
import { aNight, arbitraryFacts, arbitraryPast, day, days, usual } from "./make.ts";

type Facts = Map<LocalDate, DayFacts>;

const changedDates = (a: Facts, b: Facts, dates: readonly LocalDate[]): LocalDate[] => {
  const [before, after] = [historyOf(a, dates, digest), historyOf(b, dates, digest)];
  return dates.filter((date) => JSON.stringify(before.get(date)) !== JSON.stringify(after.get(date)));
};
/** Dates of days from −100 to +100 with a day's facts replaced. */
const replaced = (at: number, facts: (one: DayFacts) => DayFacts): [Facts, Facts, LocalDate[]] => {
  const all = new Map(
    [...days(100, usual)].concat(Array.from({ length: 101 }, (_, n) => [day(n), { final: true, ...usual(n) }])),
  );
  const other = new Map(all).set(day(at), facts(all.get(day(at)) as DayFacts));
  return [all, other, [...all.keys()]];
};

test("the dependents of a date are the 81 days after it", () => {
  const later = dependents(day(-20));
  expect([later.length, later[0], later.at(-1)]).toEqual([81, day(-19), day(61)]);
});

test.each<[string, (facts: DayFacts) => DayFacts, number]>([
  ["HRV", (facts) => ({ ...facts, hrv: 90 }), 60],
  ["skin temperature", (facts) => ({ ...facts, skin_temp: 36.5 }), 60],
  ["breath", (facts) => ({ ...facts, respiratory_rate: 19 }), 60],
  ["the sedentary heart rate", (facts) => ({ ...facts, sedentary_hr: { mean: 90, n: 9 } }), 60],
  ["the sleep's length", (facts) => ({ ...facts, main_sleep: aNight({ total_sleep_s: 15_000 }) }), 60],
])("%s corrected on D−20 changes D−20 and the 60 days that read it, no other", (_, correct, reach) => {
  const [before, after, dates] = replaced(-20, correct);
  const expected = Array.from({ length: reach + 1 }, (_unused, n) => day(-20 + n));
  expect(changedDates(before, after, dates)).toEqual(expected);
});

test("a bedtime is read by the nights after it, and by readiness through the score that it changes", () => {
  const [before, after, dates] = replaced(-20, (facts) => ({ ...facts, main_sleep: aNight({ onset_minute: 900 }) }));
  expect(changedDates(before, after, dates)).toEqual(Array.from({ length: 61 }, (_, n) => day(-20 + n)));
});

const onsets = (moved: number) =>
  new Map([
    ...[moved, 500, 500, 1000, 1000].map((onset, at) => [at, onset] as const),
    ...[21, ...Array.from({ length: 53 }, (_, n) => 30 + n)].map((at) => [at, 700] as const),
  ]);

const nightsFrom = (moved: number): Facts =>
  new Map(
    [...onsets(moved)].map(([at, onset_minute]) => {
      const rest = { resting_hr: { value: 50, series: "derived" }, main_sleep: aNight({ onset_minute }) };
      return [day(at), { final: true, ...rest }] as const;
    }),
  );

test("a bedtime reaches 81 days ahead: 21 to a score whose median it is, and 60 more to readiness", () => {
  const dates = Array.from({ length: 90 }, (_, at) => day(at - 2));
  const changed = changedDates(nightsFrom(600), nightsFrom(900), dates);
  expect(changed).toContain(day(21));
  expect(changed.at(-1)).toBe(day(81));
});

test("whatever changes on a date, nothing before it changes, and nothing after its dependents", () => {
  fc.assert(
    fc.property(arbitraryPast(190), fc.integer({ min: 95, max: 110 }), arbitraryFacts, (past, back, facts) => {
      const date = day(-back);
      const after = new Map(past).set(date, facts);
      const allowed = new Set([date, ...dependents(date)]);
      for (const changed of changedDates(past, after, [...after.keys()])) expect(allowed).toContain(changed);
    }),
    { numRuns: 30 },
  );
});
