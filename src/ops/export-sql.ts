import type { LocalDate } from "../domain/sample.ts";
import type { Database } from "../flow/ports.ts";
import type { Row } from "./export-text.ts";

/** A table that is part of an export, page by page in the order of its key. */
export type ExportTable = { file: string; table: string; key: readonly (readonly [name: string, type: string])[] };

/** Everything that is a person's beside samples and streams. Tombstones are not: they say what is no longer there. */
export const EXPORT_TABLES: readonly ExportTable[] = [
  {
    file: "metrics",
    table: "athlete_metrics",
    key: [
      ["date", "date"],
      ["metric", "text"],
      ["source", "text"],
    ],
  },
  {
    file: "sleep_sessions",
    table: "sleep_sessions",
    key: [
      ["date", "date"],
      ["session_id", "uuid"],
    ],
  },
  {
    file: "daily_totals",
    table: "daily_totals",
    key: [
      ["date", "date"],
      ["metric", "text"],
    ],
  },
  { file: "metric_edits", table: "metric_edits", key: [["id", "bigint"]] },
  { file: "settings_edits", table: "settings_edits", key: [["id", "bigint"]] },
  { file: "receipts", table: "ingest_batches", key: [["batch_id", "text"]] },
  { file: "dead_letters", table: "dead_letters", key: [["id", "uuid"]] },
];

const PAGE = 2000;

/** Rows of one athlete, a page at a time. */
export async function* tablePages(
  db: Database,
  { table, key }: ExportTable,
  athleteId: string,
): AsyncGenerator<readonly Row[]> {
  const names = key.map(([name]) => name).join(", ");
  let after: unknown[] | null = null;
  for (;;) {
    const place = key.map(([, type], n) => `$${n + 2}::${type}`).join(", ");
    const page: { row: Row }[] = await db.query<{ row: Row }>(
      `select row_to_json(t) as row from "${table}" t where athlete_id = $1
       ${after === null ? "" : `and (${names}) > (${place})`} order by ${names} limit ${PAGE}`,
      [athleteId, ...(after ?? [])],
    );
    const rows = page.map(({ row }) => row);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = key.map(([name]) => last[name]);
  }
}

/** The athlete's settings as they stand; null where nothing is known of them. */
export const readSettingsRow = async (db: Database, athleteId: string): Promise<Row | null> => {
  const rows = await db.query<{ row: Row }>(
    `select json_build_object('athlete_id', athlete_id, 'zones', zones, 'source_order', source_order) as row
     from athletes where athlete_id = $1`,
    [athleteId],
  );
  return rows[0]?.row ?? null;
};

/** Local dates that hold samples, in staging or in an object, ascending. Of a month's object, every date. */
export const datesWithSamples = async (db: Database, athleteId: string): Promise<LocalDate[]> => {
  const rows = await db.query<{ date: LocalDate }>(
    `select distinct local_date as date from health_samples_staging where athlete_id = $1
     union
     select generate_series(period_start, period_end, interval '1 day')::date from health_streams where athlete_id = $1
     order by 1`,
    [athleteId],
  );
  return rows.map((row) => row.date);
};

export type StreamPointer = { session_id: string; object_key: string };

export const streamPointers = async (db: Database, athleteId: string): Promise<StreamPointer[]> =>
  db.query<StreamPointer>(
    `select session_id, object_key from sleep_streams where athlete_id = $1 order by session_id`,
    [athleteId],
  );
