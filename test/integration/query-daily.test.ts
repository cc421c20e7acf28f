import { expect, test } from "vitest";
import { Problem, type RouteRequest } from "../../src/flow/route.ts";
import { openDatabase } from "../../src/io/postgres.ts";
import { at, steps, uuid } from "../domain/make.ts";
import { openCorner } from "../support/corner.ts";
import { beat, openQueryBench } from "../support/query-bench.ts";
import { storeMonth, storeRows } from "../support/seed-samples.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("query-daily");
const corner = await openCorner(here);
const { db } = corner;
const bench = openQueryBench(corner);
const { ask, stage, tombstone } = bench;
const week = { metric: "heart_rate", from: "2026-03-06", to: "2026-03-12" };

test("today comes from staging in the zone of the newest sample, without the object store", async () => {
  bench.beforeGet = () => Promise.reject(new Error("the object store was asked"));
  const tz = "America/New_York";
  bench.now = at("2026-03-11T02:00:00Z");
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

test("today with last night's sleep asks nothing of the object store, however much history lies there", async () => {
  const history = ["2026-02-10", "2026-03-08", "2026-03-09"].map((date, n) =>
    beat(`${date}T12:00:00Z`, 100 + n, { tz: "UTC", local_date: date }),
  );
  await storeMonth(db, corner.objects, history.slice(0, 1));
  await storeRows(db, corner.objects, history.slice(1));
  const asleep = { metric: "sleep_analysis", unit: "", tz: "UTC", local_date: "2026-03-10" };
  await stage(
    beat("2026-03-10T23:00:00Z", 1, { ...asleep, value: 3, end_at: at("2026-03-11T02:00:00Z") }),
    beat("2026-03-11T02:00:00Z", 2, {
      ...asleep,
      value: 4,
      end_at: at("2026-03-11T06:00:00Z"),
      local_date: "2026-03-11",
    }),
    beat("2026-03-11T07:00:00Z", 3, { tz: "UTC", local_date: "2026-03-11", value: 55 }),
  );
  let asked = 0;
  bench.beforeGet = async () => {
    asked += 1;
    throw new Error("the object store is stopped");
  };
  const today = (await ask("today")) as unknown as { metrics: { metric: string; points: unknown[] }[] };
  expect(today.metrics.map(({ metric, points }) => [metric, points.length])).toEqual([
    ["heart_rate", 1],
    ["sleep_analysis", 1],
  ]);
  expect(asked).toBe(0);
});

test("today keeps its share of a walk over midnight after the day before has moved to its object", async () => {
  const walk = steps("watch", ["23:50:00", "23:59:59"], 1000, { end_at: at("2026-03-11T00:10:00Z") });
  const [start_at, end_at] = [at("2026-03-11T08:00:00Z"), at("2026-03-11T08:10:00Z")];
  const morning = { sample_id: uuid(2), start_at, end_at, local_date: "2026-03-11" };
  await stage(walk, steps("watch", ["08:00:00", "08:10:00"], 300, morning));
  const before = await ask("today");
  expect(before).toMatchObject({ metrics: [{ metric: "steps", aggregate: { sum: 800 } }] });
  await storeRows(db, corner.objects, [walk]);
  await db.query(`delete from health_samples_staging where local_date = '2026-03-10'`);
  expect(await ask("today")).toEqual(before);
});

test("today is whole when the day had closed in the zone that the athlete came from", async () => {
  const tokyo = beat("2026-03-11T01:00:00Z", 1, { tz: "Asia/Tokyo", local_date: "2026-03-11", value: 50 });
  const here = beat("2026-03-11T14:00:00Z", 2, { tz: "America/New_York", value: 70 });
  await stage(here);
  await storeRows(db, corner.objects, [tokyo, beat("2026-03-11T13:00:00Z", 3, { tz: "America/New_York", value: 60 })]);
  expect(await ask("today")).toMatchObject({
    local_date: "2026-03-11",
    metrics: [{ aggregate: { min: 60, max: 70, count: 2 } }],
  });
});

test("today is dated in the zone of the newest sample when everything has moved to objects", async () => {
  bench.now = at("2026-03-11T02:00:00Z");
  await storeRows(db, corner.objects, [beat("2026-03-09T12:00:00Z", 1, { tz: "America/New_York" })]);
  expect(await ask("today")).toMatchObject({ local_date: "2026-03-10", tz: "America/New_York", metrics: [] });
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
  const [today] = bench.routesOn(away);
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

test.each(["0000-01-01", "0001-01-01", "9999-12-31"])(
  "the year of %s is refused, not a fault of ours",
  async (date) => {
    for (const range of [{ to: date }, { from: date }]) {
      await expect(ask("metrics", range)).rejects.toMatchObject({ status: 400 });
      await expect(ask("samples", { metric: "steps", ...range })).rejects.toMatchObject({ status: 400 });
    }
    const instants = { metric: "steps", from: `${date}T00:00:00Z`, to: `${date}T12:00:00Z` };
    await expect(ask("samples", instants)).rejects.toMatchObject({ status: 400 });
  },
);
