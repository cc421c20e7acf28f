import type { Instant, LocalDate, Sample, TwinKey } from "../domain/sample.ts";
import type { Database, Reader, Tx } from "../flow/ports.ts";
import { STAGED_NAMES, type StagedRow, asSample } from "../flow/staged-rows.ts";

export type OpenDeletion = { sample_id: string; type: string | null; searched_to: LocalDate | null };

export type SearchedObject = { period_start: LocalDate; object_key: string; metrics: string[] };

/** Athletes with deletions still to be looked for: those of these topic partitions, and those without any window. */
export const athletesWithOpenDeletions = async (
  db: Database,
  partitions: readonly number[],
): Promise<{ athlete_id: string; topic_partition: number | null }[]> =>
  db.query(
    `select * from (
       select a.athlete_id, (select w.topic_partition from windows w where w.athlete_id = a.athlete_id limit 1)
         as topic_partition
       from (select distinct athlete_id from sample_tombstones where resolved_at is null) a
     ) t where topic_partition is null or topic_partition = any($1::int[])
     order by athlete_id limit 200`,
    [partitions],
  );

export const openDeletions = async (tx: Reader, athleteId: string, limit: number): Promise<OpenDeletion[]> =>
  tx.query<OpenDeletion>(
    `select sample_id, type, searched_to from sample_tombstones
     where athlete_id = $1 and resolved_at is null order by searched_to nulls last, sample_id limit $2`,
    [athleteId, limit],
  );

/** Those of the ids whose tombstones stand: an erasure takes them away. */
export const standing = async (tx: Reader, athleteId: string, ids: readonly string[]): Promise<Set<string>> => {
  const rows = await tx.query<{ sample_id: string }>(
    `select sample_id from sample_tombstones where athlete_id = $1 and sample_id = any($2::uuid[])`,
    [athleteId, ids],
  );
  return new Set(rows.map((row) => row.sample_id));
};

export const stagedOf = async (tx: Reader, athleteId: string, ids: readonly string[]): Promise<Sample[]> => {
  const rows = await tx.query<StagedRow>(
    `select ${STAGED_NAMES} from health_samples_staging where athlete_id = $1 and sample_id = any($2::uuid[])`,
    [athleteId, ids],
  );
  return rows.map(asSample);
};

/** Every zone that the athlete's samples have had. */
export const zonesSeen = async (tx: Reader, athleteId: string): Promise<string[]> => {
  const rows = await tx.query<{ zones_seen: string[] }>(`select zones_seen from athletes where athlete_id = $1`, [
    athleteId,
  ]);
  return rows[0]?.zones_seen ?? [];
};

/** Newest first: what is deleted is mostly recent. */
export const objectsOf = async (tx: Reader, athleteId: string): Promise<SearchedObject[]> =>
  tx.query<SearchedObject>(
    `select period_start, object_key, array(select jsonb_object_keys(stats - 'max_end')) as metrics
     from health_streams where athlete_id = $1 order by period_start desc`,
    [athleteId],
  );

/** Records what was found: the content that a twin is known by, and that the search is over. */
export const resolveFound = async (
  tx: Tx,
  athleteId: string,
  found: readonly { sample: Sample; twin_key: TwinKey }[],
  now: Instant,
): Promise<void> => {
  await tx.query(
    `update sample_tombstones t set twin_key = f.twin_key, twin_start = f.twin_start, resolved_at = $2
     from jsonb_to_recordset($3::jsonb) as f(sample_id uuid, twin_key jsonb, twin_start timestamptz)
     where t.athlete_id = $1 and t.sample_id = f.sample_id`,
    [
      athleteId,
      new Date(now),
      JSON.stringify(
        found.map(({ sample, twin_key }) => ({
          sample_id: sample.sample_id,
          twin_key,
          twin_start: new Date(sample.start_at).toISOString(),
        })),
      ),
    ],
  );
};

export const removeStaged = async (tx: Tx, athleteId: string, ids: readonly string[]): Promise<void> => {
  await tx.query(`delete from health_samples_staging where athlete_id = $1 and sample_id = any($2::uuid[])`, [
    athleteId,
    ids,
  ]);
};

/** Nothing stored has these ids, so that nobody needs to look again. */
export const resolveAbsent = async (
  db: Database,
  athleteId: string,
  ids: readonly string[],
  now: Instant,
): Promise<void> => {
  await db.query(
    `update sample_tombstones set resolved_at = $3
     where athlete_id = $1 and sample_id = any($2::uuid[]) and resolved_at is null`,
    [athleteId, ids, new Date(now)],
  );
};

/** How far back closed days were searched, so that a restart goes on from there. */
export const recordSearched = async (
  db: Database,
  athleteId: string,
  ids: readonly string[],
  to: LocalDate,
): Promise<void> => {
  await db.query(
    `update sample_tombstones set searched_to = least(searched_to, $3::date)
     where athlete_id = $1 and sample_id = any($2::uuid[]) and resolved_at is null`,
    [athleteId, ids, to],
  );
};
