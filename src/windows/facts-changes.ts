import { type DayFacts, factsHash } from "../domain/history/facts.ts";
import { HISTORY_DAYS } from "../domain/history/history-of.ts";
import { addDays } from "../domain/local-day.ts";
import type { Digest, LocalDate } from "../domain/sample.ts";
import type { FactsRow } from "./facts.ts";

/** Rows of day_facts as they shall stand, and dates whose row shall go. */
export type FactsChanges = { upserts: FactsRow[]; deletes: LocalDate[] };

const GONE = "";

const rowOf = (
  date: LocalDate,
  facts: DayFacts | null,
  at: { before: FactsRow | undefined; read: boolean; digest: Digest },
): FactsRow => {
  const hash = facts === null ? GONE : factsHash(facts, at.digest);
  if (!at.read) return { date, facts, hash, passed_hash: facts === null ? null : hash };
  // Later days may have been computed with anything since: only the forward pass says that they have this.
  return { date, facts, hash, passed_hash: at.before?.hash === hash ? at.before.passed_hash : null };
};

/**
 * What these dates' new facts change. Where no other date that reads them has facts, nobody needs the forward pass:
 * live data at the end of the line makes none. `computed` are all dates that fire: they read each other's new facts.
 */
export const factsChanges = (
  stored: readonly FactsRow[],
  computed: ReadonlyMap<LocalDate, DayFacts | null>,
  digest: Digest,
): FactsChanges => {
  const before = new Map(stored.map((row) => [row.date, row]));
  const others = stored.filter((row) => row.facts !== null && !computed.has(row.date)).map((row) => row.date);
  const changes: FactsChanges = { upserts: [], deletes: [] };
  for (const [date, facts] of computed) {
    const known = before.get(date);
    const furthest = addDays(date, HISTORY_DAYS.ahead);
    const read = others.some((other) => other > date && other <= furthest);
    if (facts === null && !(known && read)) {
      if (known) changes.deletes.push(date);
      continue;
    }
    const after = rowOf(date, facts, { before: known, read, digest });
    if (known?.hash !== after.hash || known.passed_hash !== after.passed_hash) changes.upserts.push(after);
  }
  return changes;
};
