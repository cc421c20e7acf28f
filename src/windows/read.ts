import { tombstoneIds } from "../domain/copies.ts";
import type { DailyTotal } from "../domain/interpret.ts";
import { HISTORY_DAYS } from "../domain/history/history-of.ts";
import type { Rules } from "../domain/history/rules.ts";
import { DAY, HOUR, addDays, fromEpochDay } from "../domain/local-day.ts";
import type { Instant, LocalDate, Sample, Tombstone } from "../domain/sample.ts";
import { needsWider, wakingSpan } from "../domain/sleep/reach.ts";
import { inputSpan } from "../domain/window.ts";
import { readAthlete } from "../flow/athletes.ts";
import type { MetricRow } from "../flow/metric-rows.ts";
import type { Clock, Database, Reader } from "../flow/ports.ts";
import { STAGED_NAMES, STAGED_TYPES, sampleOfCells } from "../flow/staged-rows.ts";
import type { DayObjects } from "./day-objects.ts";
import { type DueDay, type WindowRow, nextPane } from "./due.ts";
import type { PaneDay, PaneFacts, Pointer } from "./facts.ts";
import { readHistory } from "./facts-sql.ts";
import { readSessions } from "./sessions-sql.ts";
import { WINDOW_COLUMNS } from "./sql.ts";
import { readStreams } from "./streams-sql.ts";

/** A sample may be this long (D5), so one that reaches into a span may have begun this much earlier. */
const LONGEST_DAYS = 4;
/** Sleep without an hour's break for longer than this is a faulty source: no pane reads for ever. */
const MOST_WIDER = 8 * DAY;

type Span = { from: Instant; to: Instant };
type Dates = { first: LocalDate; last: LocalDate };

const datesOf = (days: readonly PaneDay[]): Dates => {
  const dates = days.map((day) => day.date).toSorted();
  const first = dates[0];
  const last = dates.at(-1);
  if (first === undefined || last === undefined) throw new Error("a pane needs at least one day");
  return { first, last };
};

/** A sample that reaches into the span begins no earlier. */
const reach = (span: Span): Date => new Date(span.from - LONGEST_DAYS * DAY);
/** The furthest east that a zone is. */
const EAST = 14 * HOUR;
const dateAt = (at: Instant): LocalDate => fromEpochDay(Math.floor(at / DAY));

/** The wanted days that still want that kind of pane in this snapshot. */
const readDays = async (
  tx: Reader,
  athleteId: string,
  wanted: readonly DueDay[],
  at: { now: Instant; grace: number },
): Promise<PaneDay[]> => {
  const rows = await tx.query<WindowRow>(
    `select ${WINDOW_COLUMNS} from windows where athlete_id = $1 and local_date = any($2::date[]) order by local_date`,
    [athleteId, wanted.map((day) => day.date)],
  );
  const days: PaneDay[] = [];
  for (const row of rows) {
    const pane = nextPane(row, at.now, at);
    const asked = wanted.find((day) => day.date === row.local_date)?.pane;
    if (pane === null || asked === undefined) continue;
    if ((pane === "early") !== (asked === "early")) continue;
    days.push({ date: row.local_date, pane, k: row.dirty, topic_partition: row.topic_partition });
  }
  return days;
};

const readStaged = async (tx: Reader, athleteId: string, span: Span, days: readonly PaneDay[]): Promise<Sample[]> => {
  const rows = await tx.copyOut(
    `select ${STAGED_NAMES} from health_samples_staging
     where athlete_id = $1 and ((start_at >= $2 and start_at < $3 and end_at >= $4) or local_date = any($5::date[]))`,
    STAGED_TYPES,
    [athleteId, reach(span), new Date(span.to), new Date(span.from), days.map((day) => day.date)],
  );
  return rows.map(sampleOfCells);
};

const readPointers = async (tx: Reader, athleteId: string, span: Span): Promise<Pointer[]> =>
  tx.query<Pointer>(
    `select period_start, period_end, level, object_key, rows_hash from health_streams
     where athlete_id = $1 and period_start <= $3::date and (period_end >= $2::date
       or (period_end >= $2::date - ${LONGEST_DAYS + 1} and (stats->>'max_end')::float8 >= $4))
     order by period_start`,
    [athleteId, addDays(dateAt(span.from), 1), dateAt(span.to + EAST), span.from],
  );

const idsOf = (samples: Iterable<readonly Sample[]>): Set<string> => {
  const ids = new Set<string>();
  for (const rows of samples) for (const row of rows) for (const id of tombstoneIds(row)) ids.add(id);
  return ids;
};

type Stone = Tombstone & { twin_start: Instant | null };

/** Of an athlete who has no more than this, all are asked for: that costs less than to name every id in hand. */
const FEW_TOMBSTONES = 500;

/** Tombstones of the ids in hand, and those whose content could adopt a twin in the span. */
const readTombstones = async (
  tx: Reader,
  athleteId: string,
  hand: readonly (readonly Sample[])[],
  span: Span,
): Promise<Tombstone[]> => {
  const all = await tx.query<Stone>(
    `select sample_id, reason, twin_key, twin_start from sample_tombstones where athlete_id = $1 limit $2`,
    [athleteId, FEW_TOMBSTONES + 1],
  );
  if (all.length === 0) return [];
  const ids = idsOf(hand);
  if (all.length > FEW_TOMBSTONES) return tombstonesOf(tx, athleteId, [...ids], span);
  const [from, to] = [+reach(span), span.to];
  return all
    .filter(({ sample_id, twin_start: at }) => ids.has(sample_id) || (at !== null && at >= from && at < to))
    .map(({ sample_id, reason, twin_key }) => ({ sample_id, reason, twin_key }));
};

const tombstonesOf = async (tx: Reader, athleteId: string, ids: readonly string[], span: Span): Promise<Tombstone[]> =>
  tx.query<Tombstone>(
    `select sample_id, reason, twin_key from sample_tombstones
     where athlete_id = $1 and sample_id = any($2::uuid[])
     union
     select sample_id, reason, twin_key from sample_tombstones
     where athlete_id = $1 and twin_start >= $3 and twin_start < $4`,
    [athleteId, ids, reach(span), new Date(span.to)],
  );

type Hand = Pick<PaneFacts, "staged" | "stored" | "tombstones">;

/** The samples of a span from wherever they stand, and the tombstones that may be about them. */
const readHand = async (tx: Reader, of: Reading, days: readonly PaneDay[], span: Span): Promise<Hand> => {
  const staged = await readStaged(tx, of.athleteId, span, days);
  const pointers = await readPointers(tx, of.athleteId, span);
  const rows = await of.dayObjects.rows(pointers.map((pointer) => pointer.object_key));
  const stored = pointers.map((pointer, at) => ({ pointer, rows: rows[at] ?? [] }));
  return { staged, stored, tombstones: await readTombstones(tx, of.athleteId, [staged, ...rows], span) };
};

type Reading = { athleteId: string; dayObjects: DayObjects };

/** All inputs of these days (D18): sleep that goes on at an end of what was read is followed to its next gap. */
const readInputs = async (tx: Reader, of: Reading, days: readonly PaneDay[], { first, last }: Dates): Promise<Hand> => {
  const wanted = wakingSpan(first, last);
  const needed = { from: inputSpan(first).from, to: inputSpan(last).to };
  const furthest = { from: needed.from - MOST_WIDER, to: needed.to + MOST_WIDER };
  for (let span: Span = needed; ;) {
    const hand = await readHand(tx, of, days, span);
    const samples = [...hand.staged, ...hand.stored.flatMap(({ rows }) => rows)];
    const wider = needsWider(samples, span, wanted);
    const next = wider && { from: Math.max(wider.from, furthest.from), to: Math.min(wider.to, furthest.to) };
    if (next === null || (next.from >= span.from && next.to <= span.to)) return hand;
    span = { from: Math.min(next.from, span.from), to: Math.max(next.to, span.to) };
  }
};

/** Sessions move between neighbouring dates: as far as a night can wake elsewhere in the world. */
const SESSION_DAYS = 2;

/** The results as they stand, of these days and of what they read or is read from them. */
const readResults = async (
  tx: Reader,
  athleteId: string,
  days: readonly PaneDay[],
  { first, last }: Dates,
): Promise<Pick<PaneFacts, "metrics" | "totals" | "sessions" | "streams" | "history">> => {
  const dates = days.map((day) => day.date);
  const around = [addDays(first, -SESSION_DAYS), addDays(last, SESSION_DAYS)] as const;
  return {
    metrics: await tx.query<MetricRow>(
      `select date, metric, source, value, unit, locked, synced_value, is_final, method, input_hash, provenance
       from athlete_metrics where athlete_id = $1 and date = any($2::date[]) and source <> 'manual'`,
      [athleteId, dates],
    ),
    totals: await tx.query<DailyTotal>(
      `select date, metric, value, unit, value_received, unit_received
       from daily_totals where athlete_id = $1 and date = any($2::date[])`,
      [athleteId, dates],
    ),
    sessions: await readSessions(tx, athleteId, ...around),
    streams: await readStreams(tx, athleteId, ...around),
    history: await readHistory(tx, athleteId, addDays(first, -HISTORY_DAYS.back), addDays(last, HISTORY_DAYS.ahead)),
  };
};

/** Dates near these that are recomputed: a neighbour's rows are read again here too, as they will be there. */
const readReread = async (tx: Reader, athleteId: string, { first, last }: Dates): Promise<ReadonlySet<LocalDate>> => {
  const rows = await tx.query<{ local_date: LocalDate }>(
    `select local_date from windows
     where athlete_id = $1 and local_date between $2::date and $3::date and reason = 'recompute'`,
    [athleteId, addDays(first, -MOST_WIDER / DAY), addDays(last, MOST_WIDER / DAY)],
  );
  return new Set(rows.map((row) => row.local_date));
};

/**
 * Reads what a pane of these days stands on, in one snapshot; null when none of them wants its pane any longer.
 * Throws ObjectMissing when a pointer moved on and its object is gone: start over.
 */
export const readFacts = async (
  deps: { db: Database; clock: Clock; grace: number; dayObjects: DayObjects; rules?: Rules | undefined },
  athleteId: string,
  wanted: readonly DueDay[],
): Promise<PaneFacts | null> =>
  deps.db.snapshot(async (tx) => {
    const days = await readDays(tx, athleteId, wanted, { now: deps.clock.now(), grace: deps.grace });
    if (days.length === 0) return null;
    const span = datesOf(days);
    const athlete = await readAthlete(tx, athleteId);
    const hand = await readInputs(tx, { athleteId, dayObjects: deps.dayObjects }, days, span);
    const results = await readResults(tx, athleteId, days, span);
    const reread = await readReread(tx, athleteId, span);
    return { athlete_id: athleteId, ...athlete, days, ...hand, reread, rules: deps.rules, ...results };
  });
