import { tombstoneIds } from "../domain/copies.ts";
import type { DailyTotal } from "../domain/interpret.ts";
import { addDays } from "../domain/local-day.ts";
import type { Instant, LocalDate, Sample, Tombstone, TwinKey } from "../domain/sample.ts";
import { inputSpan } from "../domain/window.ts";
import { readAthlete } from "../flow/athletes.ts";
import type { MetricRow } from "../flow/metric-rows.ts";
import type { Clock, Database, Reader } from "../flow/ports.ts";
import { STAGED_NAMES, STAGED_TYPES, sampleOfCells } from "../flow/staged-rows.ts";
import type { DayObjects } from "./day-objects.ts";
import { type DueDay, type WindowRow, nextPane } from "./due.ts";
import type { PaneDay, PaneFacts, Pointer } from "./facts.ts";
import { WINDOW_COLUMNS } from "./sql.ts";

/** A sample may be this long (D5), so one that reaches into a span may have begun this much earlier. */
const LONGEST_DAYS = 4;
/** The dates around a day that samples in its span can have, anywhere in the world. */
const [EARLIER, LATER] = [2, 3];

/** `reach`: a sample that reaches into the span begins no earlier. */
type Span = { from: Instant; to: Instant; reach: Instant; first: LocalDate; last: LocalDate };

const spanOf = (days: readonly PaneDay[]): Span => {
  const dates = days.map((day) => day.date).toSorted();
  const first = dates[0];
  const last = dates.at(-1);
  if (first === undefined || last === undefined) throw new Error("a pane needs at least one day");
  const { from } = inputSpan(first);
  return { from, to: inputSpan(last).to, reach: from - LONGEST_DAYS * 86_400_000, first, last };
};

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
    [athleteId, new Date(span.reach), new Date(span.to), new Date(span.from), days.map((day) => day.date)],
  );
  return rows.map(sampleOfCells);
};

const readPointers = async (tx: Reader, athleteId: string, span: Span): Promise<Pointer[]> =>
  tx.query<Pointer>(
    `select period_start, period_end, level, object_key, rows_hash from health_streams
     where athlete_id = $1 and period_start <= $3::date and (period_end >= $2::date
       or (period_end >= $2::date - ${LONGEST_DAYS + 1} and (stats->>'max_end')::float8 >= $4))
     order by period_start`,
    [athleteId, addDays(span.first, -EARLIER), addDays(span.last, LATER), span.from],
  );

/** Tombstones of the ids in hand, and those whose content could adopt a twin in the span. */
const readTombstones = async (
  tx: Reader,
  athleteId: string,
  ids: readonly string[],
  span: Span,
): Promise<Tombstone[]> =>
  tx.query<{ sample_id: string; reason: Tombstone["reason"]; twin_key: TwinKey | null }>(
    `select sample_id, reason, twin_key from sample_tombstones
     where athlete_id = $1 and sample_id = any($2::uuid[])
     union
     select sample_id, reason, twin_key from sample_tombstones
     where athlete_id = $1 and twin_start >= $3 and twin_start < $4`,
    [athleteId, ids, new Date(span.reach), new Date(span.to)],
  );

/**
 * Reads what a pane of these days stands on, in one snapshot; null when none of them wants its pane any longer.
 * Throws ObjectMissing when a pointer moved on and its object is gone: start over.
 */
export const readFacts = async (
  deps: { db: Database; clock: Clock; grace: number; dayObjects: DayObjects },
  athleteId: string,
  wanted: readonly DueDay[],
): Promise<PaneFacts | null> =>
  deps.db.snapshot(async (tx) => {
    const days = await readDays(tx, athleteId, wanted, { now: deps.clock.now(), grace: deps.grace });
    if (days.length === 0) return null;
    const span = spanOf(days);
    const dates = days.map((day) => day.date);
    const athlete = await readAthlete(tx, athleteId);
    const staged = await readStaged(tx, athleteId, span, days);
    const pointers = await readPointers(tx, athleteId, span);
    const rows = await deps.dayObjects.rows(pointers.map((pointer) => pointer.object_key));
    const stored = pointers.map((pointer, at) => ({ pointer, rows: rows[at] ?? [] }));
    const ids = new Set<string>();
    for (const samples of [staged, ...rows]) {
      for (const sample of samples) for (const id of tombstoneIds(sample)) ids.add(id);
    }
    const tombstones = await readTombstones(tx, athleteId, [...ids], span);
    const metrics = await tx.query<MetricRow>(
      `select date, metric, source, value, unit, locked, synced_value, is_final, method, input_hash, provenance
       from athlete_metrics where athlete_id = $1 and date = any($2::date[]) and source <> 'manual'`,
      [athleteId, dates],
    );
    const totals = await tx.query<DailyTotal>(
      `select date, metric, value, unit, value_received, unit_received
       from daily_totals where athlete_id = $1 and date = any($2::date[])`,
      [athleteId, dates],
    );
    return { athlete_id: athleteId, ...athlete, days, staged, stored, tombstones, metrics, totals };
  });
