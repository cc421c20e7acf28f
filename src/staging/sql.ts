import type { LocalDate } from "../domain/sample.ts";
import { StartOver } from "../flow/commit.ts";
import type { CopyColumn, OnStep, Tx } from "../flow/ports.ts";
import { STAGED_COLUMNS, cellsOfSample } from "../flow/staged-rows.ts";
import { keyOf } from "./facts.ts";
import type { StagingRows } from "./rows.ts";

const COLUMNS: readonly CopyColumn[] = [...STAGED_COLUMNS, { name: "rev", type: "int8" }];

/**
 * Locks are always taken in one order: athletes (sorted; `readFacts` did), windows (sorted), rows. Throws StartOver
 * when a writer without the athlete's lock was faster.
 */
export const writeRows = async (tx: Tx, rows: StagingRows, onStep: OnStep): Promise<void> => {
  await writeAthletes(tx, rows);
  const revs = await dirtyWindows(tx, rows);
  await onStep("staging.locked");
  await remove(tx, rows);
  await onStep("staging.removed");
  await insert(tx, rows, revs);
  await onStep("staging.inserted");
  await writeTombstones(tx, rows);
  await writeSyncs(tx, rows);
  await writeDaily(tx, rows);
};

/** A tombstone raises the athlete's version, so that a pane which read before it starts over. */
const writeAthletes = async (tx: Tx, rows: StagingRows): Promise<void> => {
  const bury = new Set(rows.tombstones.map((t) => t.athlete_id));
  for (const { athlete_id, new_zones } of rows.athletes) {
    if (new_zones.length === 0 && !bury.has(athlete_id)) continue;
    await tx.query(
      `update athletes set version = version + $2,
         zones_seen = array(select distinct z from unnest(zones_seen || $3::text[]) as t(z) order by z)
       where athlete_id = $1`,
      [athlete_id, bury.has(athlete_id) ? 1 : 0, new_zones],
    );
  }
};

/** Raises `dirty` of every touched day; answers it, as the number that the day's rows are written under. */
const dirtyWindows = async (tx: Tx, rows: StagingRows): Promise<Map<string, number>> => {
  if (rows.windows.length === 0) return new Map();
  const windows = rows.windows.toSorted((a, b) =>
    a.athlete_id === b.athlete_id ? (a.local_date < b.local_date ? -1 : 1) : a.athlete_id < b.athlete_id ? -1 : 1,
  );
  const answered = await tx.query<{ athlete_id: string; local_date: LocalDate; dirty: number }>(
    `insert into windows (athlete_id, local_date, dirty, closes_at, touched_at, lane, reason, topic_partition)
     select a, d, 1, c, $7, l, r, p
     from unnest($1::text[], $2::date[], $3::timestamptz[], $4::text[], $5::text[], $6::int[]) with ordinality
       as t(a, d, c, l, r, p, n) order by n
     on conflict (athlete_id, local_date) do update set
       dirty = windows.dirty + 1, closes_at = greatest(windows.closes_at, excluded.closes_at),
       touched_at = excluded.touched_at, topic_partition = excluded.topic_partition,
       reason = case when windows.reason = 'recompute' then windows.reason else excluded.reason end,
       lane = case when windows.dirty > windows.fired and windows.lane = 'live' then 'live' else excluded.lane end
     returning athlete_id, local_date, dirty`,
    [
      windows.map((w) => w.athlete_id),
      windows.map((w) => w.local_date),
      windows.map((w) => new Date(w.closes_at)),
      windows.map((w) => w.lane),
      windows.map((w) => w.reason),
      windows.map((w) => w.topic_partition),
      new Date(rows.now),
    ],
  );
  return new Map(answered.map((row) => [keyOf(row.athlete_id, row.local_date), row.dirty]));
};

/** Each copy goes only while it still is the one that was read: a pane or another lane may have been faster. */
const remove = async (tx: Tx, { removals }: StagingRows): Promise<void> => {
  if (removals.length === 0) return;
  const gone = await tx.query(
    `delete from health_samples_staging s
     using unnest($1::text[], $2::uuid[], $3::bigint[]) as r(athlete_id, sample_id, rev)
     where s.athlete_id = r.athlete_id and s.sample_id = r.sample_id and s.rev = r.rev returning 1`,
    [removals.map((r) => r.athlete_id), removals.map((r) => r.sample_id), removals.map((r) => r.rev)],
  );
  if (gone.length !== removals.length) throw new StartOver("a staged copy moved while it was being replaced");
};

const insert = async (tx: Tx, { inserts }: StagingRows, revs: ReadonlyMap<string, number>): Promise<void> => {
  if (inserts.length === 0) return;
  const cells = inserts.map((sample) => [
    ...cellsOfSample(sample),
    revs.get(keyOf(sample.athlete_id, sample.local_date)) ?? raise(sample.local_date),
  ]);
  try {
    await tx.copyIn("health_samples_staging", COLUMNS, cells);
  } catch (error) {
    if ((error as { code?: unknown }).code === UNIQUE_VIOLATION) throw new StartOver("another lane staged the same id");
    throw error;
  }
};
const UNIQUE_VIOLATION = "23505";
const raise = (date: LocalDate): never => {
  throw new Error(`a row's own day ${date} was not marked dirty`);
};

/**
 * Where the athlete has no closed day yet there is nothing to search; the athlete's lock, held here, keeps panes from
 * closing one meanwhile. A person's deletion outranks a reason of ours; content once seen stays.
 */
const writeTombstones = async (tx: Tx, { tombstones, now }: StagingRows): Promise<void> => {
  if (tombstones.length === 0) return;
  tx.announce("windows");
  await tx.query(
    `insert into sample_tombstones as t
       (athlete_id, sample_id, reason, type, twin_key, twin_start, deleted_at, resolved_at)
     select e->>'athlete_id', (e->>'sample_id')::uuid, e->>'reason', e->>'type', nullif(e->'twin_key', 'null'),
       to_timestamp((e->'twin_key'->>1)::float8), to_timestamp((e->>'deleted_at')::float8 / 1000),
       case when (e->>'found')::boolean
              or not exists (select 1 from health_streams h where h.athlete_id = e->>'athlete_id') then $2::timestamptz end
     from jsonb_array_elements($1::jsonb) as e order by 1, 2
     on conflict (athlete_id, sample_id) do update set
       reason = case when excluded.reason = 'deleted' then 'deleted' else t.reason end,
       type = coalesce(t.type, excluded.type), twin_key = coalesce(t.twin_key, excluded.twin_key),
       twin_start = coalesce(t.twin_start, excluded.twin_start), resolved_at = coalesce(t.resolved_at, excluded.resolved_at)`,
    [JSON.stringify(tombstones), new Date(now)],
  );
};

/** Only over the holder that was read: two lanes that bring two versions at once must not both win. */
const writeSyncs = async (tx: Tx, { syncs }: StagingRows): Promise<void> => {
  if (syncs.length === 0) return;
  const recordset = `jsonb_to_recordset($1::jsonb) as e(athlete_id text, bundle_id text, type text, sync_id text,
    sync_version bigint, sample_id uuid, replaces uuid)`;
  const sorted = JSON.stringify(syncs);
  const updated = await tx.query(
    `update sample_syncs s set sync_version = e.sync_version, sample_id = e.sample_id from ${recordset}
     where s.athlete_id = e.athlete_id and s.bundle_id = e.bundle_id and s.type = e.type and s.sync_id = e.sync_id
       and s.sample_id = e.replaces returning 1`,
    [sorted],
  );
  const inserted = await tx.query(
    `insert into sample_syncs (athlete_id, bundle_id, type, sync_id, sync_version, sample_id)
     select athlete_id, bundle_id, type, sync_id, sync_version, sample_id from ${recordset}
     where replaces is null order by 1, 2, 3, 4 on conflict do nothing returning 1`,
    [sorted],
  );
  if (updated.length + inserted.length !== syncs.length) throw new StartOver("another lane brought another version");
};

const writeDaily = async (tx: Tx, { daily }: StagingRows): Promise<void> => {
  if (daily.length === 0) return;
  await tx.query(
    `insert into daily_totals as d
       (athlete_id, date, metric, value, unit, value_received, unit_received, received_at, content_hash)
     select athlete_id, date, metric, value, unit, value_received, unit_received,
       to_timestamp(received_at / 1000), content_hash
     from jsonb_to_recordset($1::jsonb) as e(athlete_id text, date date, metric text, value float8, unit text,
       value_received float8, unit_received text, received_at float8, content_hash text)
     on conflict (athlete_id, date, metric) do update set value = excluded.value, unit = excluded.unit,
       value_received = excluded.value_received, unit_received = excluded.unit_received,
       received_at = excluded.received_at, content_hash = excluded.content_hash
     where (excluded.received_at, excluded.content_hash) > (d.received_at, d.content_hash)`,
    [JSON.stringify(daily)],
  );
};
