import { addDays } from "../../src/domain/local-day.ts";
import { digest, sha256Hex } from "../../src/flow/digest.ts";
import type { Database, ObjectStore, Tx } from "../../src/flow/ports.ts";
import { STAGED_COLUMNS, cellsOfSample } from "../../src/flow/staged-rows.ts";
import type { LocalDate, Sample } from "../../src/domain/sample.ts";
import { parquetFormat } from "../../src/io/parquet.ts";

/** Puts rows into staging as they are. */
export const stageRows = (tx: Tx, samples: readonly Sample[]): Promise<void> =>
  tx.copyIn(
    "health_samples_staging",
    [...STAGED_COLUMNS, { name: "rev", type: "int8" }],
    samples.map((sample) => [...cellsOfSample(sample), 1]),
  );

let generation = 0;

/** Writes a day object, and answers the statement that points to it. */
export const writeDay = async (objects: ObjectStore, date: LocalDate, rows: readonly Sample[]) => {
  const body = parquetFormat.encodeDay(rows);
  const athleteId = rows[0]?.athlete_id ?? "";
  generation += 1;
  const key = `health_streams/athlete=a_${athleteId}/${date}.g${generation}.${digest.sha256(String(generation))}.parquet`;
  await objects.put(key, body);
  const metrics = Object.fromEntries([...new Set(rows.map((row) => row.metric))].map((metric) => [metric, {}]));
  const stats = { ...metrics, max_end: Math.max(...rows.map((row) => row.end_at)) };
  const point = async (tx: Tx | Database): Promise<void> => {
    await tx.query(
      `insert into health_streams (athlete_id, period_start, period_end, level, object_key, generation, row_count, bytes,
         content_hash, rows_hash, stats, revision, written_at)
       values ($1, $2::date, $2::date, 'day', $3, $4, $5, $6, $7, 'x', $8, 1, now())
       on conflict (athlete_id, period_start) do update set object_key = excluded.object_key,
         generation = excluded.generation, stats = excluded.stats`,
      [athleteId, date, key, generation, rows.length, body.length, sha256Hex(body), JSON.stringify(stats)],
    );
  };
  return { key, point };
};

/** Day objects of the rows by their local dates, and pointers to them. */
export const storeRows = async (db: Database, objects: ObjectStore, rows: readonly Sample[]): Promise<string[]> => {
  const keys: string[] = [];
  for (const date of new Set(rows.map((row) => row.local_date))) {
    const { key, point } = await writeDay(
      objects,
      date,
      rows.filter((row) => row.local_date === date),
    );
    await point(db);
    keys.push(key);
  }
  return keys;
};

export const daysFrom = (first: LocalDate, count: number): LocalDate[] =>
  Array.from({ length: count }, (_, n) => addDays(first, n));

/** A month of rows as one object, and the pointer to it with its footer. Answers the key. */
export const storeMonth = async (db: Database, objects: ObjectStore, rows: readonly Sample[]): Promise<string> => {
  const { body, footer } = parquetFormat.encodeMonth(rows);
  const [first] = rows;
  const month = (first?.local_date ?? "").slice(0, 7);
  generation += 1;
  const key = `health_streams/athlete=a_${first?.athlete_id}/${month}.g${generation}.parquet`;
  await objects.put(key, body);
  const metrics = Object.fromEntries([...new Set(rows.map((row) => row.metric))].map((metric) => [metric, {}]));
  const stats = { ...metrics, max_end: Math.max(...rows.map((row) => row.end_at)) };
  await db.query(
    `insert into health_streams (athlete_id, period_start, period_end, level, object_key, generation, row_count, bytes,
       content_hash, rows_hash, footer, stats, revision, written_at)
     values ($1, $2::date, ($2::date + interval '1 month - 1 day')::date, 'month', $3, $4, $5, $6, $7, 'x', $8, $9, 1, now())`,
    [
      first?.athlete_id,
      `${month}-01`,
      key,
      generation,
      rows.length,
      body.length,
      sha256Hex(body),
      Buffer.from(footer),
      JSON.stringify(stats),
    ],
  );
  return key;
};
