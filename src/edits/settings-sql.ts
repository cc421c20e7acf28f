import { rezone } from "../domain/rezone.ts";
import type { AthleteSettings, Instant, LocalDate, Sample } from "../domain/sample.ts";
import type { Tx } from "../flow/ports.ts";
import { STAGED_COLUMNS, STAGED_NAMES, STAGED_TYPES, cellsOfSample, sampleOfCells } from "../flow/staged-rows.ts";
import { type Group, type Recomputing, closesAt } from "./settings-touch.ts";

/** A sample may be this long (D5): nothing ends later after the last start. */
const LONGEST = 4 * 86_400_000;

/** What is stored of the athlete, by metric and day: of objects from their pointers' figures, of staging from its rows. */
export const readGroups = async (tx: Tx, athleteId: string): Promise<Group[]> =>
  tx.query<Group>(
    `select s.key as metric, (s.value->>'first')::float8 as first, (s.value->>'last')::float8 as last,
       least((h.stats->>'max_end')::float8, (s.value->>'last')::float8 + $2) as end, true as movable
     from health_streams h, jsonb_each(h.stats) s
     where h.athlete_id = $1 and s.key <> 'max_end'
     union all
     select metric, extract(epoch from min(start_at)) * 1000, extract(epoch from max(start_at)) * 1000,
       extract(epoch from max(end_at)) * 1000, bool_or(coalesce(attributes->>'tz_source', 'sample') <> 'sample')
     from health_samples_staging where athlete_id = $1 group by metric, local_date`,
    [athleteId, LONGEST],
  );

/** Whose days are touched, under which settings and zones. */
export type Touching = { athlete_id: string; settings: AthleteSettings; seen: readonly string[]; now: Instant };

/** Raises `dirty` of the dates, in their order; answers it, as the number that rows moved there are written under. */
export const dirtyDates = async (
  tx: Tx,
  of: Touching,
  dates: readonly LocalDate[],
): Promise<Map<LocalDate, number>> => {
  if (dates.length === 0) return new Map();
  tx.announce("windows");
  const rows = await tx.query<{ local_date: LocalDate; dirty: number }>(
    `insert into windows (athlete_id, local_date, dirty, closes_at, touched_at, lane, reason, topic_partition)
     select $1, d, 1, c, $4, 'backfill', 'settings',
       coalesce((select topic_partition from windows where athlete_id = $1 limit 1), 0)
     from unnest($2::date[], $3::timestamptz[]) as t(d, c) order by d
     on conflict (athlete_id, local_date) do update set
       dirty = windows.dirty + 1, touched_at = excluded.touched_at,
       reason = case when windows.reason = 'recompute' then windows.reason else excluded.reason end,
       lane = case when windows.dirty > windows.fired and windows.lane = 'live' then 'live' else excluded.lane end
     returning local_date, dirty`,
    [of.athlete_id, dates, dates.map((date) => new Date(closesAt(date, of.settings, of.seen))), new Date(of.now)],
  );
  return new Map(rows.map((row) => [row.local_date, row.dirty]));
};

/** An open day closes no earlier than its end where the athlete is by now (D4). */
export const extendOpenDays = async (tx: Tx, { athlete_id, settings, seen }: Touching): Promise<void> => {
  const open = await tx.query<{ local_date: LocalDate }>(
    `select local_date from windows where athlete_id = $1 and closed_at is null order by local_date for update`,
    [athlete_id],
  );
  const dates = open.map((row) => row.local_date);
  await tx.query(
    `update windows w set closes_at = greatest(w.closes_at, t.c)
     from unnest($2::date[], $3::timestamptz[]) as t(d, c) where w.athlete_id = $1 and w.local_date = t.d`,
    [athlete_id, dates, dates.map((date) => new Date(closesAt(date, settings, seen)))],
  );
};

const PAGE = 10_000;

/**
 * Staged rows always stand under the date of the settings in force: those that have another one now move there, a page
 * at a time. `revs` are of `dirtyDates`. Answers the zones that they came to.
 */
export const rezoneStaged = async (tx: Tx, of: Touching, revs: Map<LocalDate, number>): Promise<string[]> => {
  const zones = new Set<string>();
  for (let after = "00000000-0000-0000-0000-000000000000"; ;) {
    const cells = await tx.copyOut(
      `select ${STAGED_NAMES} from health_samples_staging
       where athlete_id = $1 and sample_id > $2::uuid and coalesce(attributes->>'tz_source', 'sample') <> 'sample'
       order by sample_id limit ${PAGE}`,
      STAGED_TYPES,
      [of.athlete_id, after],
    );
    const page = cells.map(sampleOfCells);
    const moved = page.map((sample) => rezone(sample, of.settings)).filter((sample, at) => sample !== page[at]);
    for (const { tz } of moved) zones.add(tz);
    await moveRows(tx, of, moved, revs);
    const last = page.at(-1);
    if (!last || page.length < PAGE) return [...zones];
    after = last.sample_id;
  }
};

const moveRows = async (
  tx: Tx,
  of: Touching,
  moved: readonly Sample[],
  revs: Map<LocalDate, number>,
): Promise<void> => {
  if (moved.length === 0) return;
  // Clocks that go back over midnight have dates that no range of instants shows.
  const missing = new Set(moved.map((sample) => sample.local_date).filter((date) => !revs.has(date)));
  for (const [date, rev] of await dirtyDates(tx, of, [...missing].toSorted())) revs.set(date, rev);
  await tx.query(`delete from health_samples_staging where athlete_id = $1 and sample_id = any($2::uuid[])`, [
    of.athlete_id,
    moved.map(({ sample_id }) => sample_id),
  ]);
  const rows = moved.map((sample) => [...cellsOfSample(sample), revs.get(sample.local_date)]);
  await tx.copyIn("health_samples_staging", [...STAGED_COLUMNS, { name: "rev", type: "int8" }], rows);
};

/** Zones may only be added: one timeline is merged over all that the athlete was ever in (ADR 0010). */
export const writeSettings = async (
  tx: Tx,
  athleteId: string,
  { zones, source_order }: AthleteSettings,
  seen: readonly string[],
): Promise<void> => {
  const stored = zones.map(({ from, zone }) => ({ from: new Date(from).toISOString(), zone }));
  await tx.query(
    `update athletes set zones = $2, source_order = $3,
       zones_seen = array(select distinct z from unnest(zones_seen || $4::text[]) as t(z) order by z)
     where athlete_id = $1`,
    [athleteId, JSON.stringify(stored), JSON.stringify(source_order), seen],
  );
};

export const noteSettings = async (
  tx: Tx,
  by: { athlete_id: string; actor: string; now: Instant },
  change: { before: unknown; after: unknown; recomputing: Recomputing },
): Promise<void> => {
  await tx.query(
    `insert into settings_edits (athlete_id, actor, before, after, recomputing, edited_at) values ($1, $2, $3, $4, $5, $6)`,
    [
      by.athlete_id,
      by.actor,
      JSON.stringify(change.before),
      JSON.stringify(change.after),
      JSON.stringify(change.recomputing),
      new Date(by.now),
    ],
  );
};
