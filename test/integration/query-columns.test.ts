import { afterAll, beforeEach, expect, test } from "vitest";
import { digest } from "../../src/flow/digest.ts";
import type { RouteRequest } from "../../src/flow/route.ts";
import { parquetFormat } from "../../src/io/parquet.ts";
import { isTransient } from "../../src/io/postgres.ts";
import { queryRoutes } from "../../src/query/routes.ts";
import { createDayObjects } from "../../src/windows/day-objects.ts";
import { rollMonths } from "../../src/windows/roll.ts";
import { isolated } from "../support/stack.ts";
import { clear, openBench } from "../support/windows/bench.ts";
import { historyOf, lateOf } from "../support/windows/history.ts";
import { at, heart } from "../support/windows/samples.ts";

const here = await isolated("query-columns");
const bench = openBench(here);
const { db } = bench;
afterAll(() => bench.close());
beforeEach(() => clear(bench));

const asked = { columns: 0, gets: 0 };
const counted = <T>(got: Promise<T>): Promise<T> => {
  asked.gets += 1;
  return got;
};
const samples = queryRoutes({
  db,
  objects: {
    get: (key) => counted(bench.objects.get(key)),
    getRange: (key, range) => counted(bench.objects.getRange(key, range)),
  },
  parquet: {
    ...parquetFormat,
    decodeSeries: (...of) => {
      asked.columns += 1;
      return parquetFormat.decodeSeries(...of);
    },
  },
  digest,
  clock: { now: () => bench.now },
  isTransient,
}).find((route) => route.path.endsWith("/samples"));

const ask = async (query: Record<string, unknown>): Promise<unknown[][]> => {
  const answer = await samples?.handler({ athlete_id: "anna", query, headers: {} } as unknown as RouteRequest);
  return (JSON.parse(JSON.stringify(answer?.body)) as { points: unknown[][] }).points;
};

const QUERIES = ["heart_rate", "hrv_sdnn", "steps"].flatMap((metric) => [
  { metric, resolution: "1d", from: "2026-02-01", to: "2026-04-30" },
  { metric, resolution: "1d", from: "2026-03-17", to: "2026-03-17" },
  { metric, resolution: "1h", from: "2026-02-21T10:20:30Z", to: "2026-04-05T21:10:11.5Z" },
  { metric, resolution: "15m", from: "2026-03-08", to: "2026-04-02" },
  { metric, resolution: "5m", from: "2026-03-29", to: "2026-03-29" },
  { metric, resolution: "raw", from: "2026-03-16", to: "2026-03-16" },
  { metric, resolution: "raw", from: "2026-02-27T23:30:00Z", to: "2026-03-02T00:10:00Z" },
]);

/** Everything asked as it is, and again where no pointer says anything of its rows: all by rows, neighbours too. */
const bothWays = async (): Promise<number> => {
  asked.columns = 0;
  const some: unknown[] = [];
  for (const query of QUERIES) some.push({ query, points: await ask(query) });
  const { columns } = asked;
  await db.query(`create table said as select period_start, summaries, newest_tz, stats from health_streams`);
  await db.query(
    `update health_streams set summaries = null, newest_tz = null, stats = (select jsonb_object_agg(key,
       case key when 'max_end' then value else '{}' end) from jsonb_each(stats))`,
  );
  const rows: unknown[] = [];
  for (const query of QUERIES) rows.push({ query, points: await ask(query) });
  expect(asked.columns).toBe(columns);
  await db.query(
    `update health_streams h set summaries = s.summaries from said s where s.period_start = h.period_start`,
  );
  await db.query(`drop table said`);
  expect(some).toEqual(rows);
  return columns;
};

const settled = async (): Promise<void> => {
  bench.now += 200_000;
  await bench.settle();
};

const dayObjects = createDayObjects(bench.deps.objects, bench.deps.parquet);

test.each([1, 2])("columns and rows answer alike, of days and months, with much going on (seed %i)", async (seed) => {
  const history = historyOf(seed);
  bench.now = at("2026-04-08T15:00:00Z");
  await bench.stage(history, "backfill");
  await settled();
  expect(await bothWays(), "days at rest").toBeGreaterThan(0);
  bench.now = at("2026-05-20T12:00:00Z");
  await rollMonths({ ...bench.deps, dayObjects }, [0]);
  await settled();
  const inMonths = await bothWays();
  expect(inMonths, "months at rest").toBeGreaterThan(0);
  await bench.stage(lateOf(history, seed));
  await bothWays();
  await settled();
  await bench.delete([history[7]?.sample_id ?? "", history[300]?.sample_id ?? ""]);
  expect(await bothWays(), "while deletions are looked for").toBe(0);
  // Found, and then taken out of their months, which wait for more.
  await settled();
  await settled();
  expect(await bothWays(), "at rest again").toBeGreaterThan(0);
});

test("what moves with the athlete's zones is read as rows until the panes have moved it", async () => {
  const history = historyOf(4);
  bench.now = at("2026-05-20T12:00:00Z");
  await bench.stage(history, "backfill");
  await settled();
  const zones = JSON.stringify([{ from: "2026-03-01T00:00:00Z", zone: "Pacific/Auckland" }]);
  await db.query(`update athletes set zones = $1, version = version + 1, zones_seen = zones_seen || $2::text[]`, [
    zones,
    ["Pacific/Auckland"],
  ]);
  await db.query(`update windows set dirty = dirty + 1 where local_date >= '2026-02-27'`);
  await bothWays();
  await settled();
  expect(await bothWays()).toBeGreaterThan(0);
});

test("a day at rest is one request, its raw samples two at most, and a late sample in it is counted at once", async () => {
  bench.now = at("2026-04-20T12:00:00Z");
  const history = historyOf(5).filter(({ metric }) => metric === "heart_rate");
  await bench.stage(history, "backfill");
  await settled();
  const day = { metric: "heart_rate", resolution: "1d", from: "2026-02-27", to: "2026-02-27" };
  asked.gets = 0;
  const [before] = await ask(day);
  expect(asked.gets).toBe(1);
  asked.gets = 0;
  await ask({ metric: "heart_rate", from: "2026-02-27", to: "2026-02-27" });
  expect(asked.gets).toBeLessThanOrEqual(2);
  await bench.stage([heart("2026-02-27T12:00:00Z", { name: "late" })]);
  const [after] = await ask(day);
  expect((after?.at(-1) as number) - (before?.at(-1) as number)).toBe(1);
});
