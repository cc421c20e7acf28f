import { conflictOf } from "../domain/copies.ts";
import { reinterpret, reinterpretTotal } from "../domain/reinterpret.ts";
import { rezone } from "../domain/rezone.ts";
import type { Instant, LocalDate, Sample } from "../domain/sample.ts";
import type { PaneFacts } from "./facts.ts";

/** Rows that go back to staging; copies staged elsewhere that they have beaten make way for them. */
export type Restaged = { rows: Sample[]; beaten: { sample_id: string; received_at: Instant }[] };

/** Facts as they are read now, the zones that stored rows came to by it, and rows of closing days as before and now. */
type ReadNow = { facts: PaneFacts; zones: string[]; reread: Sample[] };

/**
 * The facts as the athlete's settings have them now, and in dates that are recomputed also today's rules: an object
 * keeps its rows as they were when it was written. Staged rows moved with the settings themselves, and keep their date.
 */
export const asReadNow = (facts: PaneFacts, closing: ReadonlySet<LocalDate>): ReadNow => {
  const zones = new Set<string>();
  const reread: Sample[] = [];
  const again = (row: Sample, date: LocalDate): Sample => {
    if (facts.reread?.has(date) !== true) return row;
    const read = reinterpret(row, facts.settings);
    if (read !== row && closing.has(date)) reread.push(row, read);
    return read;
  };
  const now = (row: Sample): Sample => {
    const read = again(rezone(row, facts.settings), row.local_date);
    if (read.tz !== row.tz || read.attributes.tz_source !== row.attributes.tz_source) zones.add(read.tz);
    return read;
  };
  const stored = facts.stored.map(({ pointer, rows }) => ({ pointer, rows: rows.map(now) }));
  const staged = facts.staged.map((row) => {
    const read = again(row, row.local_date);
    return read.local_date === row.local_date ? read : row;
  });
  const totals = facts.totals.map(reinterpretTotal);
  return { facts: { ...facts, stored, staged, totals }, zones: [...zones].toSorted(), reread };
};

/** Rows of a date in hand, by which of them the date's own object holds already. */
export const heldIn = (facts: PaneFacts, date: LocalDate): ReadonlySet<string> =>
  new Set(
    facts.stored
      .filter(({ pointer }) => pointer.period_start === date)
      .flatMap(({ rows }) => rows.map((row) => row.sample_id)),
  );

const sameMoment = (a: Sample, b: Sample): boolean => a.start_at === b.start_at && a.end_at === b.end_at;

/**
 * Live rows whose place this pane empties (staging of closing days) or writes anew (objects of closing and of `losing`
 * days), and whose date does not close here: their day takes them from staging when it fires. A row only moves through
 * staging, in one transaction, so that there is no moment without it.
 */
export const restaged = (
  facts: PaneFacts,
  live: readonly Sample[],
  { closing, losing }: { closing: ReadonlySet<LocalDate>; losing: ReadonlySet<LocalDate> },
): Restaged => {
  const leaving = new Set<Sample>(facts.staged.filter((row) => closing.has(row.local_date)));
  const inHand = new Set<Sample>(facts.staged);
  for (const { pointer, rows } of facts.stored) {
    const date = pointer.period_start;
    for (const row of rows) {
      inHand.add(row);
      if (closing.has(date) || (losing.has(date) && row.local_date !== date)) leaving.add(row);
    }
  }
  const byId = Map.groupBy(leaving, (row) => row.sample_id);
  const leaves = (row: Sample): boolean => {
    if (inHand.has(row)) return leaving.has(row);
    // Renamed just now (D6): the copy that it was made of is in hand under the id it was sent with.
    return (byId.get(conflictOf(row) ?? "") ?? []).some((copy) => sameMoment(copy, row));
  };
  const rows = live.filter((row) => !closing.has(row.local_date) && leaves(row));
  const ids = new Set(rows.map((row) => row.sample_id));
  const beaten = facts.staged.filter((row) => ids.has(row.sample_id) && !closing.has(row.local_date));
  return { rows, beaten: beaten.map(({ sample_id, received_at }) => ({ sample_id, received_at })) };
};
