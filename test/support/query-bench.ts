import { beforeEach } from "vitest";
import { twinKey } from "../../src/domain/merge.ts";
import type { Sample } from "../../src/domain/sample.ts";
import { digest } from "../../src/flow/digest.ts";
import type { Database, ObjectStore, Reader } from "../../src/flow/ports.ts";
import type { RouteRequest } from "../../src/flow/route.ts";
import { isTransient } from "../../src/io/postgres.ts";
import { parquetFormat } from "../../src/io/parquet.ts";
import { queryRoutes } from "../../src/query/routes.ts";
import { aSample, at, uuid } from "../domain/make.ts";
import type { Corner } from "./corner.ts";
import { stageRows } from "./seed-samples.ts";

export type Answer = { points: unknown[][]; next: string | null; columns: string[] } & Record<string, unknown>;
const TABLES = [
  "health_samples_staging",
  "health_streams",
  "sample_tombstones",
  "athletes",
  "athlete_metrics",
  "sleep_sessions",
  "sleep_streams",
];
const nothing = async (): Promise<void> => undefined;

const addTombstone = (db: Database, sample: Sample, reason: string, withContent: boolean) =>
  db.query(
    `insert into sample_tombstones (athlete_id, sample_id, reason, twin_key, twin_start, deleted_at, resolved_at)
     values ($1, $2, $3, $4, $5, now(), $6)`,
    [
      sample.athlete_id,
      sample.sample_id,
      reason,
      withContent ? JSON.stringify(twinKey(sample)) : null,
      withContent ? new Date(sample.start_at) : null,
      withContent ? new Date() : null,
    ],
  );

const hookedBy =
  (hook: () => Promise<void>) =>
  <T extends Reader>(tx: T): T => ({
    ...tx,
    query: async (text: string, params?: readonly unknown[]) => {
      await hook();
      return tx.query(text, params);
    },
    copyOut: async (...args: Parameters<Reader["copyOut"]>) => {
      await hook();
      return tx.copyOut(...args);
    },
  });

/** The query routes on real stores, with places where a test lets a pane get in between. Emptied before each test. */
export const openQueryBench = ({ db, objects }: Pick<Corner, "db" | "objects">) => {
  const hooked = hookedBy(() => bench.beforeRead());
  const database: Database = {
    ...db,
    snapshot: (work) => db.snapshot((tx) => work(hooked(tx))),
    transaction: (work) => db.transaction((tx) => work(hooked(tx))),
  };
  const get = async (key: string): Promise<Uint8Array> => {
    await bench.beforeGet();
    return objects.get(key);
  };
  const getRange: ObjectStore["getRange"] = async (key, range) => {
    await bench.beforeGet();
    return objects.getRange(key, range);
  };
  const routesOn = (database: Database) =>
    queryRoutes({
      db: database,
      objects: { get, getRange },
      parquet: parquetFormat,
      digest,
      clock: { now: () => bench.now },
      isTransient,
    });
  const routes = routesOn(database);
  const bench = {
    now: 0,
    /** Called before each object is fetched. */
    beforeGet: nothing,
    /** Called before each question of a snapshot or transaction. */
    beforeRead: nothing,
    routesOn,
    ask: async (name: string, query: Record<string, unknown> = {}, athlete = "a1"): Promise<Answer> => {
      const route = routes.find((one) => one.path.endsWith(`/${name}`));
      if (!route) throw new Error(`no route ${name}`);
      const { status, body } = await route.handler({
        athlete_id: athlete,
        query,
        headers: {},
      } as unknown as RouteRequest);
      if (status !== 200) throw new Error(`answered ${status}`);
      return JSON.parse(JSON.stringify(body)) as Answer;
    },
    stage: (...samples: Sample[]) => db.transaction((tx) => stageRows(tx, samples)),
    tombstone: (sample: Sample, reason: string, withContent = true) => addTombstone(db, sample, reason, withContent),
  };
  beforeEach(async () => {
    Object.assign(bench, { now: at("2026-03-11T15:00:00Z"), beforeGet: nothing, beforeRead: nothing });
    for (const table of TABLES) await db.query(`delete from ${table}`);
  });
  return bench;
};

export const idsOf = (answer: Answer): unknown[] =>
  answer.points.map((point) => point[answer.columns.indexOf("sample_id")]);

/** A heartbeat of athlete a1 at an instant; `n` makes its id. */
export const beat = (iso: string, n: number, over: Partial<Sample> = {}): Sample =>
  aSample({ start_at: at(iso), sample_id: uuid(n), ...over });
