import type { Instant, LocalDate, Sample, Tombstone } from "../domain/sample.ts";
import type { Database, Reader } from "../flow/ports.ts";
import { STAGED_NAMES, STAGED_TYPES, sampleOfCells } from "../flow/staged-rows.ts";

/** `reach`: what reaches into [from, to) begins no earlier. Dates are those that rows of the range may stand under. */
export type SqlRange = { from: Instant; to: Instant; reach: Instant; first: LocalDate; last: LocalDate };
/** `footer`: of a month, where one metric is asked for. */
export type Pointer = { period_start: LocalDate; object_key: string; footer: Uint8Array | null };

/** Staged rows that overlap the range, of one metric or (null) of all. */
export const readStaged = async (
  tx: Reader,
  athleteId: string,
  metric: string | null,
  range: Pick<SqlRange, "from" | "to" | "reach">,
): Promise<Sample[]> => {
  const rows = await tx.copyOut(
    `select ${STAGED_NAMES} from health_samples_staging
     where athlete_id = $1 and start_at >= $2 and start_at < $3 and end_at >= $4 ${metric === null ? "" : "and metric = $5"}`,
    STAGED_TYPES,
    [athleteId, new Date(range.reach), new Date(range.to), new Date(range.from), ...(metric === null ? [] : [metric])],
  );
  return rows.map(sampleOfCells);
};

/**
 * Objects whose rows can overlap the range and that hold the metric, in order of their days. Of all metrics (null) only
 * those that do reach into it: mostly none, for a day that is still open. `alone`: nothing is staged whose copies might
 * stand elsewhere, so that a neighbour whose figures say that it does not reach into the range is left out.
 */
export const readPointers = async (
  tx: Reader,
  athleteId: string,
  metric: string | null,
  range: SqlRange & { alone: boolean },
): Promise<Pointer[]> =>
  tx.query<Pointer>(
    `select period_start, object_key, case when $2::text is not null then footer end as footer
     from health_streams cross join lateral (select (stats->$2->>'first')::float8 as first,
       (stats->$2->>'last')::float8 as last, (stats->$2->>'max_end')::float8 as max_end) own
     where athlete_id = $1 and ($2::text is null or stats ? $2) and period_start <= $4::date
       and ((period_end >= $3::date and $2 is not null)
         or (period_end >= $3::date - 5 and (stats->>'max_end')::float8 >= $5))
       and not ($7 and coalesce(first >= $8 or last < $6 or (newest_tz is not null and coalesce(max_end, last) < $5), false))
     order by period_start`,
    [athleteId, metric, range.first, range.last, range.from, range.reach, range.alone, range.to],
  );

/**
 * Tombstones that can concern the range: of content known to begin in it (twins included), and those whose content
 * nobody has seen, since their rows may be in hand all the same.
 */
export const readTombstones = async (
  tx: Reader,
  athleteId: string,
  range: Pick<SqlRange, "to" | "reach">,
): Promise<Tombstone[]> =>
  tx.query<Tombstone>(
    `select sample_id, reason, twin_key from sample_tombstones
     where athlete_id = $1 and (twin_start is null or twin_start between $2 and $3)`,
    [athleteId, new Date(range.reach), new Date(range.to)],
  );

export const readTombstonesOf = async (db: Database, athleteId: string, ids: readonly string[]): Promise<Tombstone[]> =>
  db.query<Tombstone>(
    `select sample_id, reason, twin_key from sample_tombstones where athlete_id = $1 and sample_id = any($2::uuid[])`,
    [athleteId, ids],
  );

/**
 * The zone of the newest staged sample, else what the newest object's pointer says of its newest row; and that object,
 * where its pointer does not say.
 */
export const readNewest = async (
  db: Pick<Reader, "query">,
  athleteId: string,
): Promise<{ tz: string | null; object_key: string | null }> => {
  const [row] = await db.query<{ staged: string | null; noted: string | null; object_key: string | null }>(
    `select s.tz as staged, h.newest_tz as noted, h.object_key from (select) one
     left join lateral (select tz from health_samples_staging where athlete_id = $1
       order by start_at desc, sample_id desc limit 1) s on true
     left join lateral (select newest_tz, object_key from health_streams where athlete_id = $1
       order by period_start desc limit 1) h on true`,
    [athleteId],
  );
  return { tz: row?.staged ?? row?.noted ?? null, object_key: row?.object_key ?? null };
};

/** Days, objects and staging together, between which a metric's samples lie; null where there are none. */
export const metricBounds = async (
  db: Database,
  athleteId: string,
  metric: string,
): Promise<{ first: Instant; last: Instant } | null> => {
  const [row] = await db.query<{ first: Instant | null; last: Instant | null }>(
    `select min(first) as first, max(last) as last from (
       select min(period_start)::timestamp at time zone 'UTC' as first, max(period_end)::timestamp at time zone 'UTC' as last
         from health_streams where athlete_id = $1 and stats ? $2
       union all
       select min(start_at), max(end_at) from health_samples_staging where athlete_id = $1 and metric = $2) as bounds`,
    [athleteId, metric],
  );
  return row === undefined || row.first === null || row.last === null ? null : { first: row.first, last: row.last };
};
