import type { LocalDate, Sample } from "../domain/sample.ts";
import type { Database } from "../flow/ports.ts";
import type { MetricDifference, ObjectDifference, ReplayPreview } from "./replay-preview.ts";

type Keys = { athlete_id: string; period_start: LocalDate; before: string | null; after: string | null };
type Differences = Omit<ReplayPreview, "athletes" | "tally">;

/** The rows of an object that stands in the store, or that a shadow wrote. */
export type RowsOf = (key: string) => Promise<readonly Sample[]>;

const METRICS = `select athlete_id, date, metric, source, b.value as before, a.value as after,
    coalesce(a.locked, b.locked) as locked
  from (select * from public.athlete_metrics where athlete_id in (select athlete_id from pg_temp.athletes)) b
  full join pg_temp.athlete_metrics a using (athlete_id, date, metric, source)
  where a.revision is distinct from b.revision order by 1, 2, 3, 4`;

const OBJECTS = `select athlete_id, period_start, b.object_key as before, a.object_key as after
  from (select * from public.health_streams where athlete_id in (select athlete_id from pg_temp.athletes)) b
  full join pg_temp.health_streams a using (athlete_id, period_start)
  where a.object_key is distinct from b.object_key order by 1, 2`;

/** A copy of equal content is no other row, whenever it was received. */
const STAGED = `select athlete_id, count(*) filter (where b.sample_id is null) as added,
    count(*) filter (where a.sample_id is not null and b.sample_id is not null) as replaced,
    count(*) filter (where a.sample_id is null) as removed
  from (select * from public.health_samples_staging where athlete_id in (select athlete_id from pg_temp.athletes)) b
  full join pg_temp.health_samples_staging a using (athlete_id, sample_id)
  where (to_jsonb(a) - 'rev' - 'received_at') is distinct from (to_jsonb(b) - 'rev' - 'received_at')
    and not exists (select 1 from pg_temp.windows w where w.athlete_id = coalesce(a.athlete_id, b.athlete_id)
      and w.local_date = coalesce(a.local_date, b.local_date) and w.closed_at is not null)
  group by 1 order by 1`;

const COUNTS = `select
  (select count(*) from pg_temp.sample_tombstones a where not exists (select 1 from public.sample_tombstones b
     where b.athlete_id = a.athlete_id and b.sample_id = a.sample_id and b.reason = a.reason)) as tombstones,
  (select count(*) from pg_temp.daily_totals a where not exists (select 1 from public.daily_totals b
     where b.athlete_id = a.athlete_id and b.date = a.date and b.metric = a.metric
       and b.content_hash = a.content_hash)) as totals,
  (select count(*) from (select * from public.sleep_sessions
       where athlete_id in (select athlete_id from pg_temp.athletes)) b
     full join pg_temp.sleep_sessions a using (session_id) where a.revision is distinct from b.revision) as sessions`;

const content = ({ received_at: _, ...row }: Sample): string => JSON.stringify(row);

const compareRows = (before: readonly Sample[], after: readonly Sample[]) => {
  const old = new Map(before.map((row) => [row.sample_id, content(row)]));
  const difference = { rows_added: 0, rows_changed: 0, rows_removed: 0 };
  for (const row of after) {
    const known = old.get(row.sample_id);
    old.delete(row.sample_id);
    if (known === undefined) difference.rows_added += 1;
    else if (known !== content(row)) difference.rows_changed += 1;
  }
  return { ...difference, rows_removed: old.size };
};

const objectDifference = async (keys: Keys, rowsOf: RowsOf): Promise<ObjectDifference> => {
  const { athlete_id, period_start, before, after } = keys;
  const change = before === null ? "new" : after === null ? "removed" : "rewritten";
  const rows = [before === null ? [] : await rowsOf(before), after === null ? [] : await rowsOf(after)] as const;
  return { athlete_id, period_start, change, ...compareRows(...rows) };
};

/** What the shadow has otherwise than the tables that it is a shadow of. */
export const differences = async (db: Database, rowsOf: RowsOf): Promise<Differences> => {
  const objects: ObjectDifference[] = [];
  for (const keys of await db.query<Keys>(OBJECTS)) objects.push(await objectDifference(keys, rowsOf));
  const [counts] = await db.query<Pick<ReplayPreview, "tombstones" | "totals" | "sessions">>(COUNTS);
  return {
    staged: await db.query<ReplayPreview["staged"][number]>(STAGED),
    objects,
    metrics: await db.query<MetricDifference>(METRICS),
    ...(counts ?? { tombstones: 0, totals: 0, sessions: 0 }),
  };
};
