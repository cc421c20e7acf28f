import { beforeEach, expect, test } from "vitest";
import type { Sample } from "../../src/domain/sample.ts";
import { twinKey } from "../../src/domain/merge.ts";
import { digest } from "../../src/flow/digest.ts";
import type { Database, Tx } from "../../src/flow/ports.ts";
import { pause } from "../../src/flow/retry.ts";
import { Problem, type RouteRequest } from "../../src/flow/route.ts";
import { isTransient, openDatabase } from "../../src/io/postgres.ts";
import { parquetFormat } from "../../src/io/parquet.ts";
import { queryRoutes } from "../../src/query/routes.ts";
import { aSample, at, steps, uuid } from "../domain/make.ts";
import { openCorner } from "../support/corner.ts";
import { daysFrom, stageRows, storeRows, writeDay } from "../support/seed-samples.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("query");
const { db, objects } = await openCorner(here);

let now = at("2026-03-11T15:00:00Z");
/** Called before each object is fetched: where a pane may get in between. */
let beforeGet: () => Promise<void> = async () => undefined;
/** Called before each question of a snapshot or transaction: where a pane may get in between, too. */
let beforeRead: () => Promise<void> = async () => undefined;
const hooked = (tx: Tx): Tx => ({
  ...tx,
  query: async (...args) => {
    await beforeRead();
    return tx.query(...args);
  },
  copyOut: async (...args) => {
    await beforeRead();
    return tx.copyOut(...args);
  },
});
const deps = {
  db: {
    ...db,
    snapshot: (work) => db.snapshot((tx) => work(hooked(tx as Tx))),
    transaction: (work) => db.transaction((tx) => work(hooked(tx))),
  } as Database,
  objects: {
    get: async (key: string) => {
      await beforeGet();
      return objects.get(key);
    },
  },
  parquet: parquetFormat,
  digest,
  clock: { now: () => now },
};
const routes = queryRoutes({ ...deps, isTransient });

beforeEach(async () => {
  now = at("2026-03-11T15:00:00Z");
  beforeGet = async () => undefined;
  beforeRead = async () => undefined;
  for (const table of [
    "health_samples_staging",
    "health_streams",
    "sample_tombstones",
    "athletes",
    "athlete_metrics",
  ]) {
    await db.query(`delete from ${table}`);
  }
});

type Answer = { points: unknown[][]; next: string | null; columns: string[] } & Record<string, unknown>;
const ask = async (name: string, query: Record<string, unknown> = {}, athlete = "a1"): Promise<Answer> => {
  const route = routes.find((one) => one.path.endsWith(`/${name}`));
  if (!route) throw new Error(`no route ${name}`);
  const response = await route.handler({ athlete_id: athlete, query } as unknown as RouteRequest);
  expect(response.status).toBe(200);
  return JSON.parse(JSON.stringify(response.body)) as Answer;
};
const ids = (answer: Answer): unknown[] => answer.points.map((point) => point[answer.columns.indexOf("sample_id")]);

const stage = (...samples: Sample[]) => db.transaction((tx) => stageRows(tx, samples));
const tombstone = (sample: Sample, reason: string, withContent = true) =>
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
const beat = (iso: string, n: number, over: Partial<Sample> = {}): Sample =>
  aSample({ start_at: at(iso), sample_id: uuid(n), ...over });
const week = { metric: "heart_rate", from: "2026-03-06", to: "2026-03-12" };

test("one series spans staging and objects, and a sample that stands in both is shown once", async () => {
  const both = beat("2026-03-10T23:00:00Z", 3);
  await storeRows(db, objects, [beat("2026-03-09T10:00:00Z", 1), beat("2026-03-10T10:00:00Z", 2), both]);
  await stage(both, beat("2026-03-11T10:00:00Z", 4));
  const answer = await ask("samples", week);
  expect(ids(answer)).toEqual([1, 2, 3, 4].map(uuid));
  expect(answer).toMatchObject({
    unit: "count/min",
    aggregation: "discrete",
    resolution: "raw",
    next: null,
    tz: "UTC",
  });
  expect(answer.points[0]).toEqual(["2026-03-09T10:00:00.000Z", "2026-03-09T10:00:00.000Z", 60, "Watch", uuid(1)]);
});

test("deleted samples are not shown, whether their content was found or is still looked for", async () => {
  const [found, open, kept] = [
    beat("2026-03-09T10:00:00Z", 1),
    beat("2026-03-09T11:00:00Z", 2),
    beat("2026-03-09T12:00:00Z", 3),
  ];
  await storeRows(db, objects, [found, open, kept]);
  await tombstone(found, "deleted");
  await tombstone(open, "deleted", false);
  expect(ids(await ask("samples", week))).toEqual([kept.sample_id]);
});

test("the same heartbeat through two doors is shown once, as the uuid's", async () => {
  const real = beat("2026-03-09T10:00:00.400Z", 1);
  const synthetic = beat("2026-03-09T10:00:00Z", 2, { attributes: { synthetic: true } });
  await storeRows(db, objects, [synthetic]);
  await stage(real);
  expect(ids(await ask("samples", week))).toEqual([real.sample_id]);
  // A second of the twins' agreement must not be cut by the range.
  expect(ids(await ask("samples", { ...week, from: "2026-03-09T10:00:00.300Z" }))).toEqual([real.sample_id]);
  expect(ids(await ask("samples", { ...week, to: "2026-03-09T10:00:00.300Z" }))).toEqual([]);
});

test("another athlete's samples and other metrics are not in it", async () => {
  await stage(beat("2026-03-11T10:00:00Z", 1), beat("2026-03-11T10:00:00Z", 2, { athlete_id: "b2" }));
  await stage(beat("2026-03-11T10:00:00Z", 3, { metric: "steps", unit: "count" }));
  expect(ids(await ask("samples", week))).toEqual([uuid(1)]);
});

test("a pane that moves rows and sweeps the old object while the answer is made is seen whole: no gap, no double", async () => {
  const rows = Array.from({ length: 40 }, (_, n) =>
    beat("2026-03-09T10:00:00Z", n + 1, { start_at: at("2026-03-09T10:00:00Z") + n * 60_000 }),
  );
  let [current] = await storeRows(db, objects, rows.slice(0, 20));
  await stage(...rows.slice(20));
  let staged = true;
  // To and fro: everything in one object, then half of it back in staging; the former object is gone at once.
  const move = async (): Promise<void> => {
    const next = await writeDay(objects, "2026-03-09", staged ? rows : rows.slice(0, 20));
    await db.transaction(async (tx) => {
      await next.point(tx);
      if (staged) await tx.query(`delete from health_samples_staging`);
      else await stageRows(tx, rows.slice(20));
    });
    if (current !== undefined) await objects.delete([current]);
    current = next.key;
    staged = !staged;
  };
  let moves = 0;
  // Not at every chance: an answer is tried five times.
  const sometimes = (wanted: (n: number) => boolean) => async (): Promise<void> => {
    if (wanted((moves += 1))) await move();
  };
  const expected = rows.map((row) => row.sample_id);
  for (const place of ["get", "read"]) {
    beforeGet = sometimes((n) => place === "get" && n % 3 !== 0);
    beforeRead = sometimes((n) => place === "read" && n % 4 === 0);
    for (let n = 0; n < 8; n += 1) expect(ids(await ask("samples", week))).toEqual(expected);
  }
  expect(moves).toBeGreaterThan(16);
  beforeRead = async () => undefined;
  const ending = new AbortController();
  const mover = (async () => {
    while (!ending.signal.aborted) {
      await move();
      await pause(20, ending.signal);
    }
  })();
  try {
    for (let n = 0; n < 30; n += 1) expect(ids(await ask("samples", week))).toEqual(expected);
  } finally {
    ending.abort();
    await mover;
  }
});

test("an object that is missing for good is a 503, not an answer with a gap", async () => {
  const keys = await storeRows(db, objects, [beat("2026-03-09T10:00:00Z", 1)]);
  await objects.delete(keys);
  await expect(ask("samples", week)).rejects.toMatchObject({ status: 503, headers: { "retry-after": "1" } });
});

test("pages of a month show every sample once, in order, and read no further than they need", async () => {
  const rows = daysFrom("2026-02-01", 28).flatMap((date, day) =>
    Array.from({ length: 6 }, (_, n) => beat(`${date}T0${n}:30:00Z`, day * 10 + n + 1)),
  );
  await storeRows(db, objects, rows);
  const deleted = rows.slice(6, 90);
  for (const row of deleted) await tombstone(row, "deleted");
  let fetched = 0;
  beforeGet = async () => void (fetched += 1);
  const seen: unknown[] = [];
  let cursor: string | null = null;
  let first = 0;
  do {
    const more: Record<string, unknown> = cursor === null ? {} : { cursor };
    const page = await ask("samples", {
      metric: "heart_rate",
      from: "2026-02-01",
      to: "2026-02-28",
      limit: 4,
      ...more,
    });
    expect(page.points.length).toBeLessThanOrEqual(4);
    seen.push(...ids(page));
    cursor = page.next;
    first ||= fetched;
  } while (cursor !== null);
  expect(seen).toEqual(rows.filter((row) => !deleted.includes(row)).map((row) => row.sample_id));
  expect(first).toBeLessThan(28);
});

test("steps of watch and phone are merged in buckets, and days are the athlete's own", async () => {
  await db.query(
    `insert into athletes (athlete_id, zones) values ('a1', '[{"from": "2020-01-01T00:00:00Z", "zone": "Europe/Amsterdam"}]')`,
  );
  const tz = { tz: "Europe/Amsterdam", local_date: "2026-03-10" };
  await storeRows(db, objects, [steps("watch", ["12:00:00", "12:10:00"], 1000, { sample_id: uuid(1), ...tz })]);
  await stage(steps("phone", ["12:05:00", "12:15:00"], 600, { sample_id: uuid(2), ...tz }));
  const range = { metric: "steps", from: "2026-03-10", to: "2026-03-10" };
  const hourly = await ask("samples", { ...range, resolution: "15m" });
  expect(hourly.columns).toEqual(["start_at", "end_at", "sum"]);
  expect(hourly.points).toEqual([["2026-03-10T12:00:00.000Z", "2026-03-10T12:15:00.000Z", 1300]]);
  const daily = await ask("samples", { ...range, resolution: "1d" });
  expect(daily.points).toEqual([["2026-03-10", "2026-03-09T23:00:00.000Z", "2026-03-10T23:00:00.000Z", 1300]]);
});

test("a sample that began days before the range and reaches into it is not missed", async () => {
  const long = steps("phone", ["00:00:00", "00:00:00"], 96, {
    start_at: at("2026-03-06T00:00:00Z"),
    end_at: at("2026-03-10T00:00:00Z"),
    local_date: "2026-03-06",
  });
  await storeRows(db, objects, [long]);
  const answer = await ask("samples", {
    metric: "steps",
    from: "2026-03-09T20:00:00Z",
    to: "2026-03-10T12:00:00Z",
    resolution: "1h",
  });
  expect(answer.points.map((point) => point[2])).toEqual([1, 1, 1, 1]);
});

test("today comes from staging in the zone of the newest sample, without the object store", async () => {
  beforeGet = () => Promise.reject(new Error("the object store was asked"));
  const tz = "America/New_York";
  now = at("2026-03-11T02:00:00Z");
  await stage(
    beat("2026-03-10T03:00:00Z", 1, { tz, local_date: "2026-03-09", value: 99 }),
    beat("2026-03-10T12:00:00Z", 2, { tz, value: 50 }),
    beat("2026-03-10T12:00:00Z", 3, { tz, value: 50, attributes: { synthetic: true } }),
    beat("2026-03-10T18:00:00Z", 4, { tz, value: 70 }),
  );
  await tombstone(beat("2026-03-10T18:30:00Z", 5), "deleted");
  const today = await ask("today");
  expect(today).toMatchObject({
    local_date: "2026-03-10",
    tz,
    from: "2026-03-10T04:00:00.000Z",
    to: "2026-03-11T04:00:00.000Z",
    metrics: [{ metric: "heart_rate", latest: { value: 70 }, aggregate: { min: 50, mean: 60, max: 70, count: 2 } }],
  });
});

test("today of an athlete of whom nothing is known is an empty UTC day", async () => {
  expect(await ask("today", {}, "nobody")).toMatchObject({ local_date: "2026-03-11", tz: "UTC", metrics: [] });
});

const insertMetric = (source: string, value: number, locked: boolean, date = "2026-03-10") =>
  db.query(
    `insert into athlete_metrics (athlete_id, date, metric, source, value, unit, locked, is_final, method, revision, updated_at)
     values ('a1', $1, 'steps', $2, $3, 'count', $4, true, 'steps_merge/1', 7, '2026-03-11T00:00:00Z')`,
    [date, source, value, locked],
  );

test("daily values have the contract's shape, effective or all", async () => {
  await insertMetric("derived", 900, false);
  await insertMetric("apple_health", 950, false);
  await insertMetric("manual", 1000, false, "2026-03-09");
  await insertMetric("derived", 700, true, "2026-03-09");
  const row = {
    metric: "steps",
    unit: "count",
    is_final: true,
    method: "steps_merge/1",
    revision: 7,
    updated_at: "2026-03-11T00:00:00.000Z",
  };
  expect(await ask("metrics")).toEqual({
    athlete_id: "a1",
    metrics: [
      { ...row, date: "2026-03-09", source: "derived", value: 700, locked: true },
      { ...row, date: "2026-03-10", source: "apple_health", value: 950, locked: false },
    ],
  });
  const all = (await ask("metrics", { view: "all", source: "derived", from: "2026-03-10", metric: "steps" }))[
    "metrics"
  ];
  expect(all).toEqual([{ ...row, date: "2026-03-10", source: "derived", value: 900, locked: false }]);
});

test("while Postgres is away the answer is 503, to be asked again", async () => {
  const away = openDatabase({ url: "postgres://postgres@127.0.0.1:1/none", connect_timeout_ms: 500 });
  const [today] = queryRoutes({ ...deps, db: away, isTransient });
  const asked = today?.handler({ athlete_id: "a1", query: {} } as unknown as RouteRequest);
  await expect(asked).rejects.toMatchObject({ status: 503, headers: { "retry-after": "1" } });
  await away.close();
});

test("what cannot be answered is refused with the parameter and what would be right", async () => {
  await expect(ask("samples", { metric: "pulse" })).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining("heart_rate"),
  });
  await expect(ask("samples", { ...week, resolution: "2h" })).rejects.toBeInstanceOf(Problem);
  await expect(ask("samples", { ...week, from: "2020-01-01" })).rejects.toThrow("at most 400 days");
});
