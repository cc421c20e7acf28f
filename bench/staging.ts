import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { type Connections, connect, setUp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import type { SampleChunk } from "../src/domain/sample.ts";
import type { Database, OutgoingRecord } from "../src/flow/ports.ts";
import { copyFrom, dumpTo } from "./copy.ts";
import { type Spread, spreadOf } from "./figures.ts";
import { type FilledLog, fillLog } from "./log.ts";
import { measure } from "./measure.ts";
import type { Timed } from "./pass.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { createSingleTopic, singleRecords } from "./single-samples.ts";
import { stageAll } from "./stage-all.ts";
import { HELD } from "./worker.ts";

export type StagingBench = { rows: number; rounds: number; seed: number; stack: string | undefined; say: Say };
export type StagingRow = { what: string; rows_s: Spread; cpu_us: Spread; peak_mb: number; wal_mb: Spread };
export type StagingFigures = { rows: number; records: number; bytes: number; contenders: StagingRow[] };

export const STAGING = "staging, 0 % duplicates";
export const TENTH = "staging, 10 % duplicates";
export const AGAIN = "staging, 100 % duplicates";
export const COPY = "binary COPY";
export const INSERT = "eachMessage, 500-row INSERTs";
export const CHUNKS = "the same, reading our chunks";
export const UPSERT = "a sink's upserts, 3,000 a batch";

/** About 6,000 samples an athlete: below the cap at which days fire without waiting. */
const DAYS = 10;
const TABLES = "health_samples_staging, windows, sample_tombstones, sample_syncs, daily_totals, consumer_offsets";
const peer = join(import.meta.dirname, `staging-peer${extname(import.meta.filename)}`);

type Bed = { place: Place; db: Database; log: FilledLog; single: string; connections: Connections; file: string };
type Contender = { what: string; table: string; before: () => Promise<unknown>; run: () => Promise<Timed> };

const clear = ({ db }: Bed): Promise<unknown> => db.query(`truncate ${TABLES}, bench_peer`);

/** One row in ten is there already, with its day. */
const clearMost = async (bed: Bed): Promise<void> => {
  await clear(bed);
  await bed.db.query(`insert into windows select * from bench_windows`);
  await bed.db.query(
    `insert into health_samples_staging select * from bench_kept where abs(hashtext(sample_id::text)) % 10 = 0`,
  );
};

/**
 * Everything again from the start of the log, over what is there. Vacuumed, because autovacuum would else freeze the first
 * pass's pages during this one: as much WAL as the table is large, of which the pass writes none.
 */
const again = async ({ db }: Bed): Promise<unknown> => {
  await db.query(`vacuum (freeze) health_samples_staging`);
  return db.query(`delete from consumer_offsets`);
};

const stage = ({ place, db, log }: Bed): Promise<Timed> => stageAll(place.env, db, log);

let groups = 0;
const asPeer = async (mode: "insert" | "chunks" | "upsert", { place, log, single }: Bed): Promise<Timed> => {
  groups += 1;
  const group = `${log.topic}-peer-${groups}`;
  const { stdout } = await measure(
    [peer, mode, mode === "chunks" ? log.topic : single, group, String(log.rows)],
    place.env,
  );
  return JSON.parse(stdout) as Timed;
};

const contendersOf = (bed: Bed): Contender[] => {
  const { file, log } = bed;
  const url = bed.connections.config.databaseUrl;
  const table = "health_samples_staging";
  return [
    { what: STAGING, table, before: () => clear(bed), run: () => stage(bed) },
    { what: AGAIN, table, before: () => again(bed), run: () => stage(bed) },
    { what: TENTH, table, before: () => clearMost(bed), run: () => stage(bed) },
    { what: COPY, table, before: () => clear(bed), run: () => copyFrom(url, table, { file, rows: log.rows }) },
    { what: INSERT, table: "bench_peer", before: () => clear(bed), run: () => asPeer("insert", bed) },
    { what: CHUNKS, table: "bench_peer", before: () => clear(bed), run: () => asPeer("chunks", bed) },
    { what: UPSERT, table: "bench_peer", before: () => clear(bed), run: () => asPeer("upsert", bed) },
  ];
};

/** Number and content: whoever holds other rows has done other work. */
const checksum = async (db: Database, table: string): Promise<string> => {
  const text = `concat_ws('|', athlete_id, sample_id, extract(epoch from start_at), extract(epoch from end_at))`;
  const [row] = await db.query<{ sum: string }>(
    `select count(*) || ' rows, ' || coalesce(sum(hashtextextended(${text}, 0)), 0) as sum from ${table}`,
  );
  return row?.sum ?? "";
};

const walAt = async (db: Database): Promise<number> => {
  const [row] = await db.query<{ at: number }>(`select (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8 as at`);
  return row?.at ?? 0;
};

/** A pass over everything outside the clock: what the others are compared with, copied, and put back from. */
const prepare = async (bed: Bed): Promise<string> => {
  const { db } = bed;
  await db.query(`create table bench_peer (like health_samples_staging including all)`);
  await clear(bed);
  await stage(bed);
  await db.query(`create table bench_kept as select * from health_samples_staging`);
  await db.query(`create table bench_windows as select * from windows`);
  await dumpTo(bed.connections.config.databaseUrl, "select * from bench_kept", bed.file);
  return checksum(db, "bench_kept");
};

const once = async ({ db }: Bed, { what, table, before, run }: Contender, expected: string) => {
  await before();
  await db.query("checkpoint");
  const wal = await walAt(db);
  const timed = await run();
  const wal_mb = ((await walAt(db)) - wal) / 1e6;
  const held = await checksum(db, table);
  if (held !== expected) throw new Error(`${what} holds ${held}, not ${expected}`);
  return { ...timed, wal_mb };
};

const measureAll = async (bed: Bed, { rounds, say }: StagingBench): Promise<StagingRow[]> => {
  const expected = await prepare(bed);
  const contenders = contendersOf(bed);
  const runs = contenders.map(() => [] as Awaited<ReturnType<typeof once>>[]);
  for (let round = 1; round <= rounds; round += 1) {
    say(`round ${round} of ${rounds}`);
    for (const [at, contender] of contenders.entries()) runs[at]?.push(await once(bed, contender, expected));
  }
  return contenders.map(({ what }, at) => {
    const done = runs[at] ?? [];
    return {
      what,
      rows_s: spreadOf(done.map(({ rows, seconds }) => rows / seconds)),
      cpu_us: spreadOf(done.map(({ rows, cpu_s }) => (cpu_s * 1e6) / rows)),
      peak_mb: Math.max(...done.map(({ peak_mb }) => peak_mb)),
      wal_mb: spreadOf(done.map(({ wal_mb }) => wal_mb)),
    };
  });
};

/** B2: a topic of samples to rows with their key, fresh, a tenth and all of them there already, beside COPY and the usual ways. */
export const benchStaging = (bench: StagingBench): Promise<StagingFigures> =>
  inPlace(bench, async (given) => {
    const place = { ...given, env: { ...given.env, ...HELD } };
    const folder = mkdtempSync(join(tmpdir(), "health-sync-bench-"));
    const connections = connect(readConfig(place.env), "bench");
    const db = connections.openDatabase(2);
    try {
      await setUp(connections, () => undefined);
      const single = await createSingleTopic(connections);
      const beside = (chunk: SampleChunk): OutgoingRecord[] => singleRecords(single, chunk);
      const log = await fillLog(connections, { ...bench, days: DAYS, beside });
      const bed = { place, db, log, single, connections, file: join(folder, "rows") };
      const contenders = await measureAll(bed, bench);
      return { rows: log.rows, records: log.records, bytes: log.bytes, contenders };
    } finally {
      await db.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
