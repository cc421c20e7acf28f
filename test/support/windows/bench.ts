import { beats, resolveCopies, tombstoneIds } from "../../../src/domain/copies.ts";
import { twinKey } from "../../../src/domain/merge.ts";
import type { Sample } from "../../../src/domain/sample.ts";
import type { StreamRow } from "../../../src/domain/sleep/streams.ts";
import { nextMidnight, touchedDates } from "../../../src/domain/window.ts";
import { dayEnd } from "../../../src/domain/local-day.ts";
import { digest } from "../../../src/flow/digest.ts";
import type { ObjectStore, OnStep, Telemetry, Tx } from "../../../src/flow/ports.ts";
import { topicNames } from "../../../src/flow/topics.ts";
import { openObjects } from "../../../src/io/objects.ts";
import { parquetFormat } from "../../../src/io/parquet.ts";
import { isTransient, openDatabase } from "../../../src/io/postgres.ts";
import { createWindowsStage, type WindowsStageDeps } from "../../../src/windows/stage.ts";
import type { Isolated } from "../stack.ts";
import { HOUR } from "./samples.ts";

const silent: Telemetry = { info() {}, warn() {}, count() {}, gauge() {}, time() {} };

export const GRACE = 4 * HOUR;

/** A windows stage on real Postgres and S3 with a clock that tests set, and the rows that staging would write. */
export const openBench = (here: Isolated) => {
  const db = openDatabase({ url: here.databaseUrl, max: 6 });
  const s3 = openObjects({
    endpoint: here.env.S3_ENDPOINT,
    region: here.env.S3_REGION,
    bucket: here.bucket,
    accessKeyId: here.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: here.env.AWS_SECRET_ACCESS_KEY,
  });
  const bench = {
    db,
    objects: s3 as ObjectStore,
    now: Date.parse("2026-11-20T12:00:00Z"),
    /** Whether the log is applied past every close. */
    applied: true,
    onStep: (() => undefined) as OnStep,
    deps: undefined as unknown as WindowsStageDeps,
    /** What staging does with a chunk. The copy that loses by D6 changes nothing. */
    stage: (samples: readonly Sample[], lane: "live" | "backfill" = "live") =>
      db.transaction((tx) => stage(tx, samples, { lane, now: bench.now })),
    delete: (ids: readonly string[], type: string | null = null) =>
      db.transaction((tx) => deleteIds(tx, ids, { type, now: bench.now })),
    /** Fires until nothing is due any more. */
    settle: async (): Promise<number> => {
      const stage = createWindowsStage(bench.deps);
      stage.own([0]);
      let all = 0;
      for (let some = -1; some !== 0; all += some) some = await stage.fireDue();
      return all;
    },
    close: async () => {
      await db.close();
      s3.close();
    },
  };
  bench.deps = {
    db,
    objects: { ...s3, put: (key, body) => bench.objects.put(key, body) },
    parquet: parquetFormat,
    clock: { now: () => bench.now },
    telemetry: silent,
    onStep: (step) => bench.onStep(step),
    topic: topicNames(),
    config: {
      grace: GRACE,
      early_every: 60_000,
      late_quiet: 2_000,
      backfill_quiet: 3_000,
      backlog_cap: 50_000,
      sweep_grace: 8 * 24 * HOUR,
      month_quiet: 5 * 24 * HOUR,
      month_late_quiet: 60_000,
    },
    appliedPast: async () => bench.applied,
    isTransient,
  };
  return bench;
};
export type Bench = ReturnType<typeof openBench>;

type At = { lane: "live" | "backfill"; now: number };

const touch = async (
  tx: Tx,
  athlete: string,
  days: ReadonlyMap<string, number>,
  at: At,
): Promise<Map<string, number>> => {
  const dirty = new Map<string, number>();
  for (const [date, closes_at] of [...days].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const [row] = await tx.query<{ dirty: number }>(
      `insert into windows (athlete_id, local_date, dirty, closes_at, touched_at, lane, reason, topic_partition)
       values ($1, $2, 1, $3, $4, $5, 'samples', 0)
       on conflict (athlete_id, local_date) do update set dirty = windows.dirty + 1,
         closes_at = greatest(windows.closes_at, excluded.closes_at), touched_at = excluded.touched_at, lane = excluded.lane
       returning dirty`,
      [athlete, date, new Date(closes_at), new Date(at.now), at.lane],
    );
    dirty.set(date, row?.dirty ?? 0);
  }
  return dirty;
};

const daysOf = (samples: readonly Sample[]): Map<string, number> => {
  const days = new Map<string, number>();
  const grow = (date: string, end: number) => days.set(date, Math.max(days.get(date) ?? 0, end));
  for (const sample of samples) {
    grow(sample.local_date, nextMidnight(sample));
    for (const date of touchedDates(sample)) grow(date, dayEnd(date, sample.tz));
  }
  return days;
};

/** An insert that meets its tombstone leaves its content there, for its twin (D10). */
const seen = async (tx: Tx, sample: Sample, at: At): Promise<void> => {
  const filled = await tx.query(
    `update sample_tombstones set twin_key = $3, twin_start = $4
     where athlete_id = $1 and sample_id = $2 and twin_key is null returning 1`,
    [sample.athlete_id, sample.sample_id, JSON.stringify(twinKey(sample)), new Date(sample.start_at)],
  );
  if (filled.length > 0) await touch(tx, sample.athlete_id, daysOf([sample]), at);
};

const stage = async (tx: Tx, samples: readonly Sample[], at: At): Promise<void> => {
  const [athlete] = samples.map((sample) => sample.athlete_id);
  if (athlete === undefined) return;
  const ids = samples.flatMap(tombstoneIds);
  const dead = new Set<string>();
  const stones = await tx.query<{ sample_id: string }>(
    `select sample_id from sample_tombstones where athlete_id = $1 and sample_id = any($2::uuid[])`,
    [athlete, ids],
  );
  for (const stone of stones) dead.add(stone.sample_id);
  const staged = new Map<string, Sample>();
  for (const row of await tx.query<Sample>(`select * from health_samples_staging where athlete_id = $1`, [athlete])) {
    staged.set(row.sample_id, { ...row, attributes: row.attributes ?? {} });
  }
  for (const sample of samples.filter(({ sample_id }) => dead.has(sample_id))) await seen(tx, sample, at);
  const best = [...Map.groupBy(samples, (sample) => sample.sample_id).values()].flatMap((same) =>
    resolveCopies(same, digest),
  );
  const taken = best.filter((sample) => {
    const other = staged.get(sample.sample_id);
    return !dead.has(sample.sample_id) && (!other || beats(sample, other, digest));
  });
  const others = taken.flatMap((sample) => staged.get(sample.sample_id) ?? []);
  const dirty = await touch(tx, athlete, daysOf([...taken, ...others]), at);
  for (const s of taken) {
    await tx.query(`delete from health_samples_staging where athlete_id = $1 and sample_id = $2`, [
      athlete,
      s.sample_id,
    ]);
    await tx.query(`insert into health_samples_staging values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`, [
      s.athlete_id,
      s.sample_id,
      s.metric,
      new Date(s.start_at),
      new Date(s.end_at),
      s.value,
      s.unit,
      s.source,
      s.device,
      s.tz,
      s.local_date,
      JSON.stringify(s.attributes),
      new Date(s.received_at),
      dirty.get(s.local_date),
    ]);
  }
};

const deleteIds = async (tx: Tx, ids: readonly string[], at: { type: string | null; now: number }): Promise<void> => {
  await tx.query(`insert into athletes (athlete_id, version) values ('anna', 1)
    on conflict (athlete_id) do update set version = athletes.version + 1`);
  for (const id of ids) {
    const [row] = await tx.query<Sample>(`delete from health_samples_staging where sample_id = $1 returning *`, [id]);
    await tx.query(
      `insert into sample_tombstones (athlete_id, sample_id, reason, type, twin_key, twin_start, deleted_at, resolved_at)
       values ('anna', $1, 'deleted', $2, $3, $4, $5, $6) on conflict do nothing`,
      [
        id,
        at.type,
        row ? JSON.stringify(twinKey(row)) : null,
        row ? new Date(row.start_at) : null,
        new Date(at.now),
        row ? new Date(at.now) : null,
      ],
    );
    if (row) await touch(tx, "anna", daysOf([row]), { lane: "live", now: at.now });
  }
};

const STAMPS = new Set(["revision", "updated_at", "written_at", "generation", "object_key", "content_hash", "pane"]);
const plain = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !STAMPS.has(name)));

/** Every sleep stream's rows by session. */
export const streams = async (bench: Bench): Promise<Record<string, StreamRow[]>> => {
  const pointers = await bench.db.query<{ session_id: string; object_key: string }>(
    `select session_id, object_key from sleep_streams order by session_id`,
  );
  const found: Record<string, StreamRow[]> = {};
  for (const { session_id, object_key } of pointers) {
    found[session_id] = parquetFormat.decodeSleep(await bench.objects.get(object_key));
  }
  return found;
};

/** I3's final state of this stage: rows, objects as decoded rows, and the last event per key, without stamps. */
export const finalState = async (bench: Bench) => {
  const pointers = await bench.db.query<{
    period_start: string;
    object_key: string;
    rows_hash: string;
    row_count: number;
  }>(`select period_start, object_key, rows_hash, row_count from health_streams order by period_start`);
  const days: Record<string, Sample[]> = {};
  for (const { period_start, object_key } of pointers) {
    days[period_start] = parquetFormat.decodeDay(await bench.objects.get(object_key));
  }
  const events = await bench.db.query<{ topic: string; key: string; value: Record<string, unknown> | null }>(
    `select distinct on (topic, key) topic, key, value from outbox order by topic, key, id desc`,
  );
  return {
    staged: await bench.db.query(`select sample_id, rev from health_samples_staging order by sample_id`),
    days,
    metrics: await bench.db.query(
      `select date, metric, source, value, unit, locked, synced_value, is_final, method, input_hash, provenance
       from athlete_metrics order by date, metric, source`,
    ),
    sessions: (await bench.db.query(`select * from sleep_sessions order by session_id`)).map(plain),
    streams: await streams(bench),
    facts: await bench.db.query(`select date, facts, hash, passed_hash = hash as passed from day_facts order by date`),
    tombstones: await bench.db.query(
      `select sample_id, reason, twin_key, resolved_at is not null as resolved from sample_tombstones order by sample_id`,
    ),
    waiting: await bench.db.query(`select local_date from windows where dirty > fired`),
    // What is no more may have been there in between, or not.
    events: events.flatMap(({ topic, key, value }) => (value === null ? [] : [{ topic, key, value: plain(value) }])),
  };
};

/** What a quiet rerun must leave alone. */
export const counters = async (bench: Bench) => {
  const [row] = await bench.db.query<Record<string, number>>(
    `select (select last_value from revisions) as revisions, (select last_value from object_generations) as generations,
       (select count(*) from outbox) as events, (select count(*) from object_intents) as intents`,
  );
  return row;
};

export const storedKeys = async (bench: Bench): Promise<string[]> => {
  const keys = [];
  for (const prefix of ["health_streams/", "sleep_streams/"]) {
    for await (const { key } of bench.objects.list(prefix)) keys.push(key);
  }
  return keys.toSorted();
};

export const pointedKeys = async (bench: Bench): Promise<string[]> => {
  const rows = await bench.db.query<{ object_key: string }>(
    `select object_key from health_streams union all select object_key from sleep_streams`,
  );
  return rows.map((row) => row.object_key).toSorted();
};

/** Fires, with quiet times passing in between, until nothing is left to do. */
export const quiesce = async (bench: Bench): Promise<void> => {
  for (let fired = 1; fired > 0;) {
    bench.now += 60_000;
    fired = await bench.settle();
  }
};

/** Empties tables and bucket, so that each test of a file begins with nothing. */
export const clear = async (bench: Bench): Promise<void> => {
  await bench.db.query(
    `truncate athletes, health_samples_staging, health_streams, athlete_metrics, sample_tombstones, windows, outbox,
       object_intents, daily_totals, consumer_offsets, sleep_sessions, sleep_streams, day_facts`,
  );
  const keys = await storedKeys(bench);
  if (keys.length > 0) await bench.objects.delete(keys);
  bench.now = Date.parse("2026-11-20T12:00:00Z");
  bench.applied = true;
  bench.onStep = () => undefined;
};
