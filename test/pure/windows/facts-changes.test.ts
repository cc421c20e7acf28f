import { expect, test } from "vitest";
import { type DayFacts, factsHash } from "../../../src/domain/history/facts.ts";
import { addDays } from "../../../src/domain/local-day.ts";
import { digest } from "../../../src/flow/digest.ts";
import type { FactsRow } from "../../../src/windows/facts.ts";
import { factsChanges } from "../../../src/windows/facts-changes.ts";

const DAY = "2026-11-20";
const facts = (hrv: number): DayFacts => ({ final: true, hrv });
const row = (date: string, hrv: number, change: Partial<FactsRow> = {}): FactsRow => {
  const hash = factsHash(facts(hrv), digest);
  return { date, facts: facts(hrv), hash, passed_hash: hash, ...change };
};
const changes = (stored: readonly FactsRow[], hrv: number | null, date = DAY) =>
  factsChanges(stored, new Map([[date, hrv === null ? null : facts(hrv)]]), digest);

test("a day that nobody reads yet has been passed on from the start", () => {
  expect(changes([row(addDays(DAY, -1), 40)], 50)).toEqual({ upserts: [row(DAY, 50)], deletes: [] });
});

test("equal facts are no change, whether they were passed on or not", () => {
  const later = row(addDays(DAY, 1), 40);
  expect(changes([row(DAY, 50), later], 50)).toEqual({ upserts: [], deletes: [] });
  expect(changes([row(DAY, 50, { passed_hash: null }), later], 50)).toEqual({ upserts: [], deletes: [] });
});

test("changed facts that later days read wait for the pass", () => {
  const later = row(addDays(DAY, 81), 40);
  expect(changes([row(DAY, 50), later], 51).upserts).toEqual([row(DAY, 51, { passed_hash: null })]);
});

test("facts that change and change back before the pass wait for it all the same: a later day may have read them", () => {
  const later = row(addDays(DAY, 1), 40);
  const [changed] = changes([row(DAY, 50), later], 51).upserts;
  expect(changes([changed as FactsRow, later], 50).upserts).toEqual([row(DAY, 50, { passed_hash: null })]);
});

test("days beyond the reach of a day, before it, or firing with it do not make it wait", () => {
  for (const other of [addDays(DAY, 82), addDays(DAY, -1)]) {
    expect(changes([row(other, 40)], 51).upserts).toEqual([row(DAY, 51)]);
  }
  const both = new Map([DAY, addDays(DAY, 1)].map((date) => [date, facts(60)] as const));
  const { upserts } = factsChanges([row(DAY, 50), row(addDays(DAY, 1), 50)], both, digest);
  expect(upserts).toEqual([row(DAY, 60), row(addDays(DAY, 1), 60)]);
});

test("a day that has nothing to remember any more goes at once where nobody read it, else after the pass", () => {
  expect(changes([row(DAY, 50)], null)).toEqual({ upserts: [], deletes: [DAY] });
  expect(changes([], null)).toEqual({ upserts: [], deletes: [] });
  const later = row(addDays(DAY, 1), 40);
  const gone: FactsRow = { date: DAY, facts: null, hash: "", passed_hash: null };
  expect(changes([row(DAY, 50), later], null)).toEqual({ upserts: [gone], deletes: [] });
  expect(changes([gone, later], null)).toEqual({ upserts: [], deletes: [] });
});
