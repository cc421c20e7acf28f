import type { Instant, LocalDate } from "../domain/sample.ts";
import type { MetricRow } from "../flow/metric-rows.ts";
import type { Database, Reader, Tx } from "../flow/ports.ts";

/**
 * Windows that hold a pass up: closed ones with news, and those past their close that have not closed. The day that is
 * still open changes by the minute and holds nothing up.
 */
const UNQUIET = (now: string): string =>
  `((w.closed_at is not null and w.dirty > w.fired) or (w.closed_at is null and w.closes_at <= ${now}))`;

/** Athletes of these topic partitions of whom later days have yet to hear, and whose closed days are at rest. */
export const athletesWithPendingHistory = async (
  db: Database,
  partitions: readonly number[],
  at: { now: Instant; grace: number },
): Promise<string[]> => {
  const rows = await db.query<{ athlete_id: string }>(
    `select athlete_id from (select distinct athlete_id from day_facts where passed_hash is distinct from hash) f
     where exists (select 1 from windows w where w.athlete_id = f.athlete_id and w.topic_partition = any($1::int[]))
       and not exists (select 1 from windows w where w.athlete_id = f.athlete_id and ${UNQUIET("$2")})
     order by athlete_id limit 200`,
    [partitions, new Date(at.now - at.grace)],
  );
  return rows.map((row) => row.athlete_id);
};

/** The first and the last date whose facts later days have yet to hear of; null where there is none. */
export const pendingDates = async (
  tx: Reader,
  athleteId: string,
): Promise<{ first: LocalDate; last: LocalDate } | null> => {
  const [row] = await tx.query<{ first: LocalDate | null; last: LocalDate | null }>(
    `select min(date) as first, max(date) as last from day_facts
     where athlete_id = $1 and passed_hash is distinct from hash`,
    [athleteId],
  );
  return row?.first && row.last ? { first: row.first, last: row.last } : null;
};

/** The derived rows of these metrics on dates from … to, ends included. */
export const readDerived = async (
  tx: Reader,
  athleteId: string,
  metrics: readonly string[],
  { from, to }: { from: LocalDate; to: LocalDate },
): Promise<MetricRow[]> =>
  tx.query<MetricRow>(
    `select date, metric, source, value, unit, locked, synced_value, is_final, method, input_hash, provenance
     from athlete_metrics
     where athlete_id = $1 and metric = any($2::text[]) and source = 'derived' and date between $3::date and $4::date`,
    [athleteId, metrics, from, to],
  );

/** Every later day has heard. Days that have no facts any more need not be remembered then. */
export const markPassed = async (tx: Tx, athleteId: string): Promise<void> => {
  await tx.query(`delete from day_facts where athlete_id = $1 and facts = 'null'::jsonb`, [athleteId]);
  await tx.query(
    `update day_facts set passed_hash = hash where athlete_id = $1 and passed_hash is distinct from hash`,
    [athleteId],
  );
};
