import type { Instant, LocalDate } from "../domain/sample.ts";
import type { Database } from "../flow/ports.ts";

/** An object that holds the metric, with what its pointer says of it. */
export type SeriesPointer = {
  period_start: LocalDate;
  period_end: LocalDate;
  object_key: string;
  /** Of a month. */
  footer: Uint8Array | null;
  /** The first and the last start of the metric's rows; null: nobody noted them. */
  first: Instant | null;
  last: Instant | null;
  /** Its dates have windows, which say whether anything is under way. */
  watched: boolean;
  /** Each of the metric's rows is one reading. */
  plain: boolean;
};

/** What one series of an athlete is read from, all of one moment. */
export type SeriesPlan = {
  version: number;
  /** A deletion is still being looked for: any row may be one that it means. */
  searching: boolean;
  /** Dates that have staged rows of the metric, are open, or have something to decide. */
  restless: LocalDate[];
  /** In order of their periods. */
  pointers: SeriesPointer[];
};

type Row = Pick<SeriesPlan, "version" | "searching" | "restless"> & {
  [Name in keyof SeriesPointer]: SeriesPointer[Name] | null;
};

/** Reads the plan of these dates, and of what is restless up to `around` days beside them, in one statement. */
export const readSeriesPlan = async (
  db: Pick<Database, "query">,
  of: { athlete_id: string; metric: string },
  dates: { first: LocalDate; last: LocalDate },
  around: number,
): Promise<SeriesPlan> => {
  const rows = await db.query<Row>(
    `select a.*, p.* from (select
       coalesce((select version from athletes where athlete_id = $1), 0) as version,
       exists (select from sample_tombstones where athlete_id = $1 and resolved_at is null) as searching,
       array(select local_date from windows where athlete_id = $1
           and local_date between $3::date - $5::int and $4::date + $5::int and (dirty > fired or closed_at is null)
         union select local_date from health_samples_staging where athlete_id = $1
           and local_date between $3::date - $5::int and $4::date + $5::int and metric = $2) as restless) a
     left join lateral (select period_start, period_end, object_key, footer,
         (stats->$2->>'first')::float8 as first, (stats->$2->>'last')::float8 as last,
         coalesce($2 <> all (summaries), false) as plain, exists (select from windows w
           where w.athlete_id = $1 and w.local_date between period_start and period_end) as watched
       from health_streams
       where athlete_id = $1 and stats ? $2 and period_start <= $4::date and period_end >= $3::date) p on true
     order by p.period_start`,
    [of.athlete_id, of.metric, dates.first, dates.last, around],
  );
  const { version = 0, searching = false, restless = [] } = rows[0] ?? {};
  const pointers = rows.flatMap(({ version: _v, searching: _s, restless: _r, ...pointer }) =>
    pointer.object_key === null ? [] : [pointer as SeriesPointer],
  );
  return { version, searching, restless, pointers };
};
