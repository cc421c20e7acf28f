import type { Instant } from "../domain/sample.ts";
import type { Database } from "../flow/ports.ts";
import { type Backlog, type DueRules, MOST_SKEW, type WindowRow } from "./due.ts";

export const WINDOW_COLUMNS = `athlete_id, local_date, dirty, fired, closes_at, closed_at, touched_at, fired_at, lane,
  topic_partition, (select h.period_start from health_streams h where h.athlete_id = windows.athlete_id
    and h.level = 'month' and windows.local_date between h.period_start and h.period_end) as rolled`;
const CANDIDATE_COLUMNS =
  "athlete_id, local_date, dirty, fired, closes_at, closed_at, touched_at, fired_at, lane, topic_partition, rolled";

/** A window that may be due, with the newest touch among the athlete's candidates. */
export type Candidate = WindowRow & { newest_touched_at: Instant };

const PER_ATHLETE_OLDEST = 64;
const PER_ATHLETE_NEWEST = 4;
const MOST = 20_000;

/**
 * Windows of these topic partitions that may be due, grouped by athlete, oldest first. Of a long backlog only the
 * oldest, and the newest few so that today is never behind it.
 */
export const candidates = async (
  db: Database,
  partitions: readonly number[],
  now: Instant,
  rules: DueRules,
): Promise<Candidate[]> =>
  db.query<Candidate>(
    `with candidate as (
       select ${WINDOW_COLUMNS} from windows
       where topic_partition = any($1::int[]) and dirty > fired
         and (closed_at is not null or closes_at <= $2 or fired_at is null or fired_at <= $3 or fired_at > $7)
       union all
       select ${WINDOW_COLUMNS} from windows
       where topic_partition = any($1::int[]) and dirty <= fired and closed_at is null and closes_at <= $2
     ), ranked as (
       select *, max(touched_at) over (partition by athlete_id) as newest_touched_at,
         row_number() over (partition by athlete_id order by local_date) as oldest,
         row_number() over (partition by athlete_id order by local_date desc) as newest
       from candidate
     )
     select ${CANDIDATE_COLUMNS}, newest_touched_at from ranked
     where oldest <= $4 or newest <= $5 order by athlete_id, local_date limit $6`,
    [
      partitions,
      new Date(now - rules.grace),
      new Date(now - rules.early_every),
      PER_ATHLETE_OLDEST,
      PER_ATHLETE_NEWEST,
      MOST,
      new Date(now + MOST_SKEW),
    ],
  );

/** Whether a day of these topic partitions has yet to fire, now or when its time comes. */
export const anyUnfired = async (db: Database, partitions: readonly number[]): Promise<boolean> => {
  const [row] = await db.query<{ waits: boolean }>(
    `select exists (select 1 from windows where topic_partition = any($1::int[]) and dirty > fired) as waits`,
    [partitions],
  );
  return row?.waits ?? false;
};

/** Staged rows of each athlete, counted no further than `cap`. */
export const stagedRows = async (
  db: Database,
  athletes: readonly string[],
  cap: number,
): Promise<Map<string, number>> => {
  if (athletes.length === 0) return new Map();
  const rows = await db.query<{ athlete_id: string; staged: number }>(
    `select a as athlete_id, (select count(*) from (
         select 1 from health_samples_staging s where s.athlete_id = a limit $2) capped) as staged
     from unnest($1::text[]) as t(a)`,
    [athletes, cap],
  );
  return new Map(rows.map((row) => [row.athlete_id, row.staged]));
};

export const backlogOf = (candidate: Candidate, staged: ReadonlyMap<string, number>): Backlog => ({
  newest_touched_at: candidate.newest_touched_at,
  staged: staged.get(candidate.athlete_id) ?? 0,
});
