import type { Instant, LocalDate } from "../domain/sample.ts";
import type { Database, Reader } from "../flow/ports.ts";
import type { Pointer } from "./facts.ts";

/** A month of an athlete, by its first day. */
export type Month = { athlete_id: string; first: LocalDate };

/**
 * Months that are over, whose days lie in objects of their own, and in which nothing was written or is due since
 * `quiet_since`; of athletes in these topic partitions, oldest first.
 */
export const monthsToRoll = async (
  db: Database,
  partitions: readonly number[],
  quiet_since: Instant,
  limit: number,
): Promise<Month[]> =>
  db.query<Month>(
    `select h.athlete_id, date_trunc('month', h.period_start)::date as first
     from health_streams h
     join windows w on w.athlete_id = h.athlete_id and w.local_date = h.period_start
     where h.level = 'day' and h.period_start < date_trunc('month', $2::timestamptz at time zone 'UTC')::date
     group by 1, 2
     having bool_and(w.topic_partition = any($1::int[])) and bool_and(w.dirty <= w.fired) and max(h.written_at) <= $2
     order by 2, 1 limit $3`,
    [partitions, new Date(quiet_since), limit],
  );

/** The month's days, in their order. */
export const dayPointers = async (tx: Reader, { athlete_id, first }: Month): Promise<Pointer[]> =>
  tx.query<Pointer>(
    `select period_start, period_end, level, object_key, rows_hash from health_streams
     where athlete_id = $1 and level = 'day' and period_start >= $2::date and period_start < $2::date + interval '1 month'
     order by period_start`,
    [athlete_id, first],
  );
