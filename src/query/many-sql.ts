import type { Instant, LocalDate } from "../domain/sample.ts";
import type { Database } from "../flow/ports.ts";

export type ManyRow = {
  athlete_id: string;
  date: LocalDate;
  metric: string;
  source: string;
  value: number | null;
  unit: string;
  locked: boolean;
  is_final: boolean;
  revision: number;
};

/** The next athletes in the order of their ids; all there are, or those named. Erased ones are not there any more. */
export const nextAthletes = async (
  db: Database,
  asked: { named: readonly string[] | null; after: string; limit: number },
): Promise<string[]> => {
  const rows = await db.query<{ athlete_id: string }>(
    `select athlete_id from athletes where athlete_id > $1 and ($2::text[] is null or athlete_id = any($2))
     order by athlete_id limit $3`,
    [asked.after, asked.named, asked.limit],
  );
  return rows.map((row) => row.athlete_id);
};

export const effectiveRows = async (
  db: Database,
  athletes: readonly string[],
  asked: { from: LocalDate; to: LocalDate; metrics: readonly string[] | null },
): Promise<ManyRow[]> =>
  db.query<ManyRow>(
    `select athlete_id, date, metric, source, value, unit, locked, is_final, revision from athlete_metrics_effective
     where athlete_id = any($1) and date between $2::date and $3::date and ($4::text[] is null or metric = any($4))
     order by athlete_id, date, metric`,
    [athletes, asked.from, asked.to, asked.metrics],
  );

/** Start of the newest sample by athlete and sample metric, among those of days since `since`. */
export const lastSamples = async (
  db: Database,
  athletes: readonly string[],
  since: LocalDate,
): Promise<{ athlete_id: string; metric: string; at: Instant }[]> =>
  db.query(
    `select athlete_id, metric, max(at) as at from (
       select h.athlete_id, e.key as metric, to_timestamp((e.value->>'last')::float8 / 1000) as at
       from health_streams h cross join lateral jsonb_each(h.stats - 'max_end') e
       where h.athlete_id = any($1) and h.period_end >= $2::date
       union all
       select athlete_id, metric, max(start_at) from health_samples_staging
       where athlete_id = any($1) and local_date >= $2::date group by athlete_id, metric
     ) seen group by athlete_id, metric order by athlete_id, metric`,
    [athletes, since],
  );

/** When each athlete's newest batch was received. */
export const lastSyncs = async (
  db: Database,
  athletes: readonly string[],
): Promise<{ athlete_id: string; at: Instant }[]> =>
  db.query(
    `select a as athlete_id, b.received_at as at from unnest($1::text[]) as t(a)
     cross join lateral (select received_at from ingest_batches where athlete_id = a order by received_at desc limit 1) b`,
    [athletes],
  );
