import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type Connections, connect, setUp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import type { Database } from "../src/flow/ports.ts";
import { openObjects } from "../src/io/objects.ts";
import { parquetFormat } from "../src/io/parquet.ts";
import { copyOutOf } from "./copy.ts";
import { type Spread, spreadOf } from "./figures.ts";
import { type FilledLog, fillLog } from "./log.ts";
import { duckDbPass } from "./panes-duckdb.ts";
import { type Timed, followTo } from "./pass.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { stageAll } from "./stage-all.ts";
import { HELD, startWorker } from "./worker.ts";

export type PanesBench = {
  rows: number;
  days: number;
  rounds: number;
  seed: number;
  times: number;
  extension: string | undefined;
  stack: string | undefined;
  say: Say;
};
export type PanesRow = { what: string; rows_s: Spread; cpu_us: Spread; bytes_row: number } & Memory;
type Memory = { peak_mb: number; largest_mb: number };
export type PanesFigures = { rows: number; days: number; contenders: PanesRow[]; times: number };

export const PANES = "panes";
export const DRAIN = "COPY TO STDOUT";
export const DUCKDB = "DuckDB, one file";
export const DUCKDB_DAYS = "DuckDB, a file a day";

const RESULTS = "health_streams, sleep_streams, sleep_sessions, athlete_metrics, day_facts, outbox, object_intents";

type Bed = { place: Place; db: Database; log: FilledLog; connections: Connections; folder: string };
type Done = Timed & { bytes: number };

/** Staged again as staging left them, `times` athletes for each; nothing written yet. */
const putBack = async (db: Database, times: number): Promise<void> => {
  await db.query(`truncate ${RESULTS}, health_samples_staging, windows`);
  const columns = async (table: string): Promise<string> => {
    const rows = await db.query<{ name: string }>(
      `select column_name as name from information_schema.columns where table_name = $1 and table_schema = 'public'
       and column_name <> 'athlete_id' order by ordinal_position`,
      [table],
    );
    return rows.map(({ name }) => name).join(", ");
  };
  const copy = async (table: string, kept: string): Promise<unknown> => {
    const names = await columns(table);
    return db.query(
      `insert into ${table} (athlete_id, ${names})
       select case when n = 1 then athlete_id else athlete_id || '-' || n end, ${names}
       from ${kept}, generate_series(1, $1::int) as n on conflict do nothing`,
      [times],
    );
  };
  await copy("athletes", "bench_athletes");
  await copy("windows", "bench_windows");
  await copy("health_samples_staging", "bench_kept");
  await db.query("analyze health_samples_staging");
};

/** Rows that pointers name; all of them only once staging is empty too and no day waits. */
const moved = async (db: Database, total: number): Promise<number | null> => {
  const [row] = await db.query<{ rows: number; staged: boolean; due: boolean }>(
    `select coalesce(sum(row_count), 0)::float8 as rows, exists (select 1 from health_samples_staging) as staged,
       exists (select 1 from windows where dirty > fired) as due from health_streams`,
  );
  if (!row || row.rows === 0) return null;
  return row.rows >= total && !row.staged && !row.due ? total : Math.min(row.rows, total - 1);
};

const fire = async ({ place, db }: Bed, total: number): Promise<Done> => {
  const worker = startWorker({ ...place.env, PANE_LATE_QUIET: "1s" });
  try {
    const timed = await followTo(total, () => moved(db, total), worker);
    const [size] = await db.query<{ bytes: number }>(`select sum(bytes)::float8 as bytes from health_streams`);
    return { ...timed, bytes: size?.bytes ?? 0 };
  } finally {
    await worker.stop();
  }
};

type Row = { athlete_id: string; sample_id: string; start_at: number; value: number };
const sumOf = (sum: number, row: Row): number =>
  (sum + crc32(`${row.athlete_id}|${row.sample_id}|${row.start_at}|${row.value}`)) % Number.MAX_SAFE_INTEGER;

/** Every live object is decoded once: what counts is what can be read back. */
const verify = async ({ db, connections, log }: Bed): Promise<void> => {
  let expected = 0;
  for (const athlete_id of log.athletes) {
    const rows = await db.query<Row>(
      `select athlete_id, sample_id, start_at, value from bench_kept where athlete_id = $1`,
      [athlete_id],
    );
    expected = rows.reduce(sumOf, expected);
  }
  const objects = openObjects(connections.config.objects);
  let held = 0;
  const keys = await db.query<{ object_key: string }>(`select object_key from health_streams`);
  for (const { object_key } of keys) {
    held = parquetFormat.decodeDay(await objects.get(object_key)).reduce(sumOf, held);
  }
  objects.close();
  if (held !== expected) throw new Error("the Parquet objects do not hold what was staged");
};

const prepare = async (bed: Bed): Promise<void> => {
  await stageAll({ ...bed.place.env, ...HELD }, bed.db, bed.log);
  await bed.db.query(`create table bench_kept as select * from health_samples_staging`);
  await bed.db.query(`create table bench_windows as select * from windows`);
  await bed.db.query(`create table bench_athletes as select * from athletes`);
};

const rowOf = (what: string, done: readonly Done[]): PanesRow => ({
  what,
  rows_s: spreadOf(done.map(({ rows, seconds }) => rows / seconds)),
  cpu_us: spreadOf(done.map(({ rows, cpu_s }) => (cpu_s * 1e6) / rows)),
  bytes_row: (done[0]?.bytes ?? Number.NaN) / (done[0]?.rows ?? 1),
  peak_mb: Math.max(...done.map(({ peak_mb }) => peak_mb)),
  largest_mb: Math.max(...done.map(({ largest_mb = Number.NaN }) => largest_mb)),
});

const measureAll = async (bed: Bed, bench: PanesBench): Promise<PanesRow[]> => {
  const { db, log, connections, folder } = bed;
  const url = connections.config.databaseUrl;
  await prepare(bed);
  const source = { url, table: "bench_kept", rows: log.rows, folder, extension: bench.extension };
  const all = "select * from bench_kept";
  const panes = async (times: number): Promise<Done> => {
    await putBack(db, times);
    const done = await fire(bed, log.rows * times);
    // Bytes are of everything, rows of what the clock saw.
    return { ...done, bytes: (done.bytes * done.rows) / (log.rows * times) };
  };
  const contenders: { what: string; run: () => Promise<Done> }[] = [
    { what: PANES, run: () => panes(1) },
    { what: DRAIN, run: async () => ({ ...(await copyOutOf(url, all, log.rows)), bytes: Number.NaN }) },
    { what: DUCKDB, run: () => duckDbPass(source, false) },
    { what: DUCKDB_DAYS, run: () => duckDbPass(source, true) },
  ];
  const runs = contenders.map(() => [] as Done[]);
  for (let round = 1; round <= bench.rounds; round += 1) {
    bench.say(`round ${round} of ${bench.rounds}`);
    for (const [at, { run }] of contenders.entries()) runs[at]?.push(await run());
    if (round === 1) await verify(bed);
  }
  const rows = contenders.map(({ what }, at) => rowOf(what, runs[at] ?? []));
  if (bench.times === 1) return rows;
  bench.say(`${bench.times} times the rows, once`);
  return [...rows, rowOf(`${PANES}, ${bench.times} × the rows`, [await panes(bench.times)])];
};

/** B3: staged rows to sorted Parquet, pointers and results, staging emptied; beside draining alone and DuckDB. */
export const benchPanes = (bench: PanesBench): Promise<PanesFigures> =>
  inPlace(bench, async (place) => {
    const folder = mkdtempSync(join(tmpdir(), "health-sync-bench-"));
    const connections = connect(readConfig(place.env), "bench");
    const db = connections.openDatabase(2);
    try {
      await setUp(connections, () => undefined);
      const log = await fillLog(connections, bench);
      const contenders = await measureAll({ place, db, log, connections, folder }, bench);
      return { rows: log.rows, days: bench.days, contenders, times: bench.times };
    } finally {
      await db.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
