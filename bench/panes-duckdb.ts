import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Timed } from "./pass.ts";
import { dumpTo } from "./copy.ts";

export type DuckDbPass = Timed & { bytes: number };
/** `extension`: file of DuckDB's Postgres scanner; absent, rows come as a CSV that is written first. */
export type DuckDbSource = { url: string; table: string; rows: number; folder: string; extension: string | undefined };

/** Those of `health_streams`; ids and attributes as the types they have in Postgres. */
const COLUMNS =
  "athlete_id, metric, unit, source, device, tz, local_date, start_at, end_at, value, attributes, sample_id";
const PARQUET = "format parquet, compression zstd";

const bytesIn = (path: string): number =>
  statSync(path).isFile()
    ? statSync(path).size
    : readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), 0);

const keyValues = (url: string): string => {
  const { hostname, port, username, pathname } = new URL(url);
  return `host=${hostname} port=${port} user=${username} dbname=${pathname.slice(1)}`;
};

let runs = 0;

/**
 * `COPY (SELECT … FROM postgres) TO … (FORMAT parquet)` with two threads: one file for everything, or (`days`) one an
 * athlete and day as we write them. Nothing is merged, moved, computed or told to anybody.
 */
export const duckDbPass = async (source: DuckDbSource, days: boolean): Promise<DuckDbPass> => {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const settings = { threads: "2", allow_unsigned_extensions: "true" };
  const instance = await DuckDBInstance.create(":memory:", settings);
  const connection = await instance.connect();
  runs += 1;
  const out = join(source.folder, `duckdb-${runs}${days ? "" : ".parquet"}`);
  if (days) mkdirSync(out);
  if (source.extension !== undefined) {
    await connection.run(`load '${source.extension}'`);
    await connection.run(`attach '${keyValues(source.url)}' as pg (type postgres, read_only)`);
  }
  const [at, cpu] = [performance.now(), process.cpuUsage()];
  let from = `pg.public.${source.table}`;
  if (source.extension === undefined) {
    const csv = join(source.folder, "rows.csv");
    await dumpTo(source.url, `select ${COLUMNS} from ${source.table}`, csv, "csv, header");
    from = `read_csv('${csv}')`;
  }
  const order = "order by athlete_id, metric, start_at, end_at, sample_id";
  const select = days
    ? `select *, local_date as day from (select ${COLUMNS} from ${from})`
    : `select ${COLUMNS} from ${from}`;
  const by = days ? ", partition_by (athlete_id, day), write_partition_columns true" : "";
  await connection.run(`copy (${select} ${order}) to '${out}' (${PARQUET}${by})`);
  const seconds = (performance.now() - at) / 1000;
  const used = process.cpuUsage(cpu);
  connection.closeSync();
  instance.closeSync();
  const cpu_s = (used.user + used.system) / 1e6;
  return { rows: source.rows, seconds, cpu_s, peak_mb: Number.NaN, bytes: bytesIn(out) };
};
