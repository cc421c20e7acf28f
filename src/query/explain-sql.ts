import type { ReadObject, EditMade } from "../domain/explain/explanation.ts";
import type { Instant, LocalDate } from "../domain/sample.ts";
import type { MetricRow } from "../flow/metric-rows.ts";
import type { Reader } from "../flow/ports.ts";

export type StoredMetric = MetricRow & { pane: string | null; revision: number; updated_at: Instant };
export type Dates = { from: LocalDate; to: LocalDate };

/** Every value of an athlete's date and metric. */
export const readValues = async (
  tx: Reader,
  athleteId: string,
  { date, metric }: { date: LocalDate; metric: string },
): Promise<StoredMetric[]> =>
  tx.query<StoredMetric>(
    `select date, metric, source, value, unit, locked, synced_value, is_final, method, input_hash, provenance, pane,
       revision, updated_at
     from athlete_metrics where athlete_id = $1 and date = $2 and metric = $3`,
    [athleteId, date, metric],
  );

/** Objects of these dates that hold samples of these metrics. */
export const readObjects = async (
  tx: Reader,
  athleteId: string,
  { from, to }: Dates,
  metrics: readonly string[],
): Promise<ReadObject[]> => {
  const rows = await tx.query<Omit<ReadObject, "samples"> & { stats: Record<string, { count?: number }> }>(
    `select period_start, period_end, level, generation, object_key, stats from health_streams
     where athlete_id = $1 and period_start <= $3::date and period_end >= $2::date and stats ?| $4::text[]
     order by period_start`,
    [athleteId, from, to, metrics],
  );
  return rows.map(({ stats, ...object }) => {
    const counts = metrics.map((metric) => [metric, stats[metric]?.count ?? 0] as const);
    return { ...object, samples: Object.fromEntries(counts.filter(([, count]) => count > 0)) };
  });
};

/** Samples of these dates and metrics that are still in staging, by metric. */
export const countStaged = async (
  tx: Reader,
  athleteId: string,
  { from, to }: Dates,
  metrics: readonly string[],
): Promise<Record<string, number>> => {
  const rows = await tx.query<{ metric: string; n: number }>(
    `select metric, count(*) as n from health_samples_staging
     where athlete_id = $1 and local_date between $2::date and $3::date and metric = any($4::text[])
     group by metric order by metric`,
    [athleteId, from, to, metrics],
  );
  return Object.fromEntries(rows.map(({ metric, n }) => [metric, n]));
};

export const countRemembered = async (tx: Reader, athleteId: string, { from, to }: Dates): Promise<number> => {
  const [row] = await tx.query<{ n: number }>(
    `select count(*) as n from day_facts where athlete_id = $1 and date between $2::date and $3::date`,
    [athleteId, from, to],
  );
  return row?.n ?? 0;
};

export type StoredSession = {
  session_id: string;
  source: string;
  kind: string;
  provenance: Record<string, unknown> | null;
};

export const readMainSleep = async (tx: Reader, athleteId: string, date: LocalDate): Promise<StoredSession | null> => {
  const rows = await tx.query<StoredSession>(
    `select session_id, source, kind, provenance from sleep_sessions
     where athlete_id = $1 and date = $2 and is_main_sleep`,
    [athleteId, date],
  );
  return rows[0] ?? null;
};

type StoredEdit = Omit<EditMade, "edited_at" | "before" | "after"> & {
  edited_at: Instant;
  before: EditMade["before"];
  after: EditMade["after"];
};

const brief = (row: EditMade["before"]) => row && { value: row.value, locked: row.locked };

/** What people did to a date's metric, oldest first. */
export const readEdits = async (
  tx: Reader,
  athleteId: string,
  { date, metric }: { date: LocalDate; metric: string },
): Promise<EditMade[]> => {
  const rows = await tx.query<StoredEdit>(
    `select edited_at, actor, action, source, before, after from metric_edits
     where athlete_id = $1 and date = $2 and metric = $3 order by id`,
    [athleteId, date, metric],
  );
  return rows.map(({ edited_at, before, after, ...edit }) => ({
    ...edit,
    edited_at: new Date(edited_at).toISOString(),
    before: brief(before),
    after: brief(after),
  }));
};

/** For a helpful 404: the date's metrics, and the nearest dates that have the metric. */
export const readNeighbours = async (
  tx: Reader,
  athleteId: string,
  { date, metric }: { date: LocalDate; metric: string },
): Promise<{ metrics: string[]; before: LocalDate | null; after: LocalDate | null }> => {
  const found = await tx.query<{ metric: string }>(
    `select distinct metric from athlete_metrics where athlete_id = $1 and date = $2 order by metric`,
    [athleteId, date],
  );
  const [near] = await tx.query<{ before: LocalDate | null; after: LocalDate | null }>(
    `select max(date) filter (where date < $2::date) as before, min(date) filter (where date > $2::date) as after
     from athlete_metrics where athlete_id = $1 and metric = $3`,
    [athleteId, date, metric],
  );
  return { metrics: found.map((row) => row.metric), before: near?.before ?? null, after: near?.after ?? null };
};
