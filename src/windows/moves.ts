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

/** Those of these rows that were renamed just now (D6), and made of a copy that leaves its place here. */
const renamedFrom = (
  facts: PaneFacts,
  rows: readonly Sample[],
  leavingObjects: readonly Sample[],
  closing: ReadonlySet<LocalDate>,
): ReadonlySet<Sample> => {
  const marked = rows.filter((row) => conflictOf(row) !== undefined);
  if (marked.length === 0) return new Set();
  const inHand = new Set([...facts.staged, ...facts.stored.flatMap((object) => object.rows)]);
  const leaving = [...facts.staged.filter((row) => closing.has(row.local_date)), ...leavingObjects];
  const byId = Map.groupBy(leaving, (row) => row.sample_id);
  const isLeft = (row: Sample): boolean =>
    (byId.get(conflictOf(row) ?? "") ?? []).some((copy) => sameMoment(copy, row));
  return new Set(marked.filter((row) => !inHand.has(row) && isLeft(row)));
};

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
  const elsewhere = live.filter((row) => !closing.has(row.local_date));
  const leavingObjects = facts.stored.flatMap(({ pointer: { period_start: date }, rows }) =>
    closing.has(date) || losing.has(date) ? rows.filter((row) => closing.has(date) || row.local_date !== date) : [],
  );
  const moved = new Set(leavingObjects);
  const renamed = renamedFrom(facts, elsewhere, leavingObjects, closing);
  const rows = elsewhere.filter((row) => moved.has(row) || renamed.has(row));
  const ids = new Set(rows.map((row) => row.sample_id));
  const beaten = facts.staged.filter((row) => ids.has(row.sample_id) && !closing.has(row.local_date));
  return { rows, beaten: beaten.map(({ sample_id, received_at }) => ({ sample_id, received_at })) };
};
