import type { Instant, LocalDate } from "../domain/sample.ts";
import { StartOver } from "../flow/commit.ts";
import type { Tx } from "../flow/ports.ts";
import { STAGED_COLUMNS, cellsOfSample } from "../flow/staged-rows.ts";
import type { Adopted, Dirtied } from "./decide.ts";
import type { PaneDay } from "./facts.ts";
import type { Restaged } from "./moves.ts";
import type { NewPointer } from "./objects-of.ts";

export type Touched = Dirtied & { reason: string; topic_partition: number };

/**
 * Locks windows in the order of their dates, those that fire and those that are dirtied alike, in one statement:
 * staging locks in the same order, so that neither waits for the other in a circle. Answers `dirty` as it is now.
 */
export const lockWindows = async (
  tx: Tx,
  athleteId: string,
  firing: readonly PaneDay[],
  dirtied: { days: readonly Touched[]; now: Instant },
): Promise<Map<LocalDate, number>> => {
  const days = [
    ...dirtied.days.map((day) => ({ ...day, closes_at: new Date(day.closes_at).toISOString(), add: 1 })),
    ...firing
      .filter((day) => !dirtied.days.some((other) => other.date === day.date))
      .map((day) => ({ date: day.date, topic_partition: day.topic_partition, reason: "", closes_at: null, add: 0 })),
  ];
  const rows = await tx.query<{ local_date: LocalDate; dirty: number }>(
    `insert into windows as w
       (athlete_id, local_date, dirty, fired, closes_at, touched_at, lane, reason, topic_partition)
     select $1, date, add, 0, coalesce(closes_at, $2), $2, 'live', reason, topic_partition
     from jsonb_to_recordset($3::jsonb)
       as t(date date, closes_at timestamptz, reason text, topic_partition int, add bigint)
     order by date
     on conflict (athlete_id, local_date) do update set
       dirty = w.dirty + excluded.dirty,
       touched_at = case when excluded.dirty > 0 then excluded.touched_at else w.touched_at end,
       lane = case when excluded.dirty > 0 then 'live' else w.lane end,
       reason = case when excluded.dirty > 0 and w.reason <> 'recompute' then excluded.reason else w.reason end
     returning local_date, dirty`,
    [athleteId, new Date(dirtied.now), JSON.stringify(days)],
  );
  return new Map(rows.map((row) => [row.local_date, row.dirty]));
};

/** Staged rows that the day's object now holds: those written up to `k`. Later ones wait for the next pane. */
export const emptyStaging = async (tx: Tx, athleteId: string, days: readonly PaneDay[]): Promise<void> => {
  await tx.query(
    `delete from health_samples_staging s using unnest($2::date[], $3::bigint[]) as d(date, k)
     where s.athlete_id = $1 and s.local_date = d.date and s.rev <= d.k`,
    [athleteId, days.map((day) => day.date), days.map((day) => day.k)],
  );
};

const UNIQUE_VIOLATION = "23505";

/**
 * Rows whose date is a day that does not close here, under that day's number. Throws StartOver when a copy of one was
 * staged meanwhile: which of them wins has to be decided again.
 */
export const restage = async (
  tx: Tx,
  athleteId: string,
  { rows, beaten }: Restaged,
  revs: ReadonlyMap<LocalDate, number>,
): Promise<void> => {
  if (rows.length === 0) return;
  await tx.query(
    `delete from health_samples_staging s using unnest($2::uuid[], $3::timestamptz[]) as b(id, received_at)
     where s.athlete_id = $1 and s.sample_id = b.id and s.received_at = b.received_at`,
    [athleteId, beaten.map(({ sample_id }) => sample_id), beaten.map(({ received_at }) => new Date(received_at))],
  );
  const cells = rows.map((row) => [...cellsOfSample(row), revs.get(row.local_date)]);
  try {
    await tx.copyIn("health_samples_staging", [...STAGED_COLUMNS, { name: "rev", type: "int8" }], cells);
  } catch (error) {
    if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error;
    throw new StartOver("a copy of a row that moves was staged meanwhile");
  }
};

/** Samples touch their dates in every zone that the athlete was seen in (ADR 0010). */
export const noteZones = async (tx: Tx, athleteId: string, zones: readonly string[]): Promise<void> => {
  await tx.query(
    `update athletes set zones_seen = array(select distinct z from unnest(zones_seen || $2::text[]) as t(z) order by z)
     where athlete_id = $1`,
    [athleteId, zones],
  );
};

export const movePointers = async (
  tx: Tx,
  athleteId: string,
  pointers: readonly (NewPointer & { revision: number })[],
  now: Instant,
): Promise<void> => {
  const rows = pointers.map(({ footer, ...pointer }) => ({
    ...pointer,
    footer: footer === null ? null : Buffer.from(footer).toString("base64"),
  }));
  await tx.query(
    `insert into health_streams (athlete_id, period_start, period_end, level, object_key, generation, row_count, bytes,
       content_hash, rows_hash, footer, stats, newest_tz, summaries, revision, written_at)
     select $1, period_start, period_end, level, object_key, generation, row_count, bytes, content_hash, rows_hash,
       decode(footer, 'base64'), stats, newest_tz, summaries, revision, $2
     from jsonb_to_recordset($3::jsonb) as t(period_start date, period_end date, level text, object_key text,
       generation bigint, row_count bigint, bytes bigint, content_hash text, rows_hash text, footer text, stats jsonb,
       newest_tz text, summaries text[], revision bigint)
     on conflict (athlete_id, period_start) do update set period_end = excluded.period_end, level = excluded.level,
       object_key = excluded.object_key, generation = excluded.generation, row_count = excluded.row_count,
       bytes = excluded.bytes, content_hash = excluded.content_hash, rows_hash = excluded.rows_hash,
       footer = excluded.footer, stats = excluded.stats, newest_tz = excluded.newest_tz,
       summaries = excluded.summaries, revision = excluded.revision, written_at = excluded.written_at`,
    [athleteId, new Date(now), JSON.stringify(rows)],
  );
};

export const removePointers = async (tx: Tx, athleteId: string, dates: readonly LocalDate[]): Promise<void> => {
  await tx.query(`delete from health_streams where athlete_id = $1 and period_start = any($2::date[])`, [
    athleteId,
    dates,
  ]);
};

/** The twin's tombstone, so that no late insert and no replay brings it back (D10). */
export const writeAdopted = async (
  tx: Tx,
  athleteId: string,
  adopted: readonly Adopted[],
  now: Instant,
): Promise<void> => {
  await tx.query(
    `insert into sample_tombstones (athlete_id, sample_id, reason, twin_key, twin_start, deleted_at, resolved_at)
     select $1, sample_id, 'adopted', twin_key, twin_start, $2, $2
     from jsonb_to_recordset($3::jsonb) as t(sample_id uuid, twin_key jsonb, twin_start timestamptz)
     on conflict (athlete_id, sample_id) do nothing`,
    [
      athleteId,
      new Date(now),
      JSON.stringify(adopted.map((twin) => ({ ...twin, twin_start: new Date(twin.start_at).toISOString() }))),
    ],
  );
};

/** Fills in what a tombstone's row was, where nobody has seen it before. */
export const noteSeen = async (tx: Tx, athleteId: string, seen: readonly Adopted[]): Promise<void> => {
  await tx.query(
    `update sample_tombstones t set twin_key = s.twin_key, twin_start = s.twin_start
     from jsonb_to_recordset($2::jsonb) as s(sample_id uuid, twin_key jsonb, twin_start timestamptz)
     where t.athlete_id = $1 and t.sample_id = s.sample_id and t.twin_key is null`,
    [athleteId, JSON.stringify(seen.map((row) => ({ ...row, twin_start: new Date(row.start_at).toISOString() })))],
  );
};

/** A recompute is done once a pane that closes, or comes late, has read what it marked. */
export const markFired = async (tx: Tx, athleteId: string, days: readonly PaneDay[], now: Instant): Promise<void> => {
  await tx.query(
    `update windows w set fired = greatest(w.fired, d.k), fired_at = $2,
       closed_at = case when d.closing then coalesce(w.closed_at, $2) else w.closed_at end,
       reason = case when d.closing and w.dirty <= d.k and w.reason = 'recompute' then 'recomputed' else w.reason end
     from unnest($3::date[], $4::bigint[], $5::boolean[]) as d(date, k, closing)
     where w.athlete_id = $1 and w.local_date = d.date`,
    [
      athleteId,
      new Date(now),
      days.map((day) => day.date),
      days.map((day) => day.k),
      days.map((day) => day.pane !== "early"),
    ],
  );
};
