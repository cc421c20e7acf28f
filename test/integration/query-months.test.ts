import { expect, test } from "vitest";
import type { Sample } from "../../src/domain/sample.ts";
import { cacheObjects } from "../../src/io/object-cache.ts";
import { parquetFormat } from "../../src/io/parquet.ts";
import { digest } from "../../src/flow/digest.ts";
import type { RouteRequest } from "../../src/flow/route.ts";
import { isTransient } from "../../src/io/postgres.ts";
import { queryRoutes } from "../../src/query/routes.ts";
import { at, steps, uuid } from "../domain/make.ts";
import { openCorner } from "../support/corner.ts";
import { type Answer, beat, openQueryBench } from "../support/query-bench.ts";
import { daysFrom, storeMonth, storeRows } from "../support/seed-samples.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("query-months");
const corner = await openCorner(here);
const bench = openQueryBench(corner);
const MONTHS = [
  "2025-01",
  "2025-02",
  "2025-03",
  "2025-04",
  "2025-05",
  "2025-06",
  "2025-07",
  "2025-08",
  "2025-09",
  "2025-10",
  "2025-11",
  "2025-12",
];

let ids = 0;
/** Enough heart rates that they have a row group of their own, and steps beside them. */
const monthOf = (month: string): Sample[] =>
  daysFrom(`${month}-01`, 6).flatMap((date) => [
    ...Array.from({ length: 200 }, (_, n) => {
      const start_at = at(`${date}T00:00:00Z`) + n * 400_000;
      return beat(`${date}T00:00:00Z`, (ids += 1), {
        start_at,
        end_at: start_at,
        tz: "UTC",
        local_date: date,
        value: 50 + (n % 40),
      });
    }),
    steps("watch", ["09:00:00", "09:10:00"], 500, {
      sample_id: uuid((ids += 1)),
      start_at: at(`${date}T09:00:00Z`),
      end_at: at(`${date}T09:10:00Z`),
      tz: "UTC",
      local_date: date,
    }),
  ]);

const counting = () => {
  const asked: { key: string; bytes: number }[] = [];
  const note = async (key: string, got: Promise<Uint8Array>): Promise<Uint8Array> => {
    const body = await got;
    asked.push({ key, bytes: body.length });
    return body;
  };
  const { objects } = corner;
  const counted = {
    ...objects,
    get: (key: string) => note(key, objects.get(key)),
    getRange: (key: string, range: { from: number; to: number }) => note(key, objects.getRange(key, range)),
  };
  const routes = queryRoutes({
    db: corner.db,
    objects: cacheObjects(counted, 64 << 20),
    parquet: parquetFormat,
    digest,
    clock: { now: () => at("2026-01-10T12:00:00Z") },
    isTransient,
  });
  const ask = async (query: Record<string, unknown>): Promise<Answer> => {
    const route = routes.find((one) => one.path.endsWith("/samples"));
    const answer = await route?.handler({ athlete_id: "a1", query, headers: {} } as unknown as RouteRequest);
    return JSON.parse(JSON.stringify(answer?.body)) as Answer;
  };
  return { asked, ask };
};

test("a year of closed months answers as its days do, in a request a month for the metric alone", async () => {
  const months = MONTHS.map(monthOf);
  for (const rows of months) await storeRows(corner.db, corner.objects, rows);
  const year = { from: "2025-01-01", to: "2025-12-31", resolution: "1d" };
  const days = counting();
  const expected = await Promise.all(["heart_rate", "steps"].map((metric) => days.ask({ metric, ...year })));
  await corner.db.query(`delete from health_streams`);
  const keys: string[] = [];
  for (const rows of months) keys.push(await storeMonth(corner.db, corner.objects, rows));
  const bodies = await Promise.all(keys.map((key) => corner.objects.get(key)));
  const whole = bodies.reduce((sum, body) => sum + body.length, 0);

  const some = counting();
  expect(await some.ask({ metric: "heart_rate", ...year })).toEqual(expected[0]);
  expect(some.asked.length).toBeLessThanOrEqual(12);
  expect(await some.ask({ metric: "steps", ...year })).toEqual(expected[1]);
  const before = some.asked.length;
  await some.ask({ metric: "heart_rate", from: "2025-03-01", to: "2025-04-30", resolution: "1h" });
  expect(some.asked.length).toBe(before);
  const stepsBytes = some.asked.slice(12).reduce((sum, { bytes }) => sum + bytes, 0);
  expect(stepsBytes).toBeLessThan(whole / 4);
});

test("raw pages over months, a late row in staging and a deleted one, are whole and in order", async () => {
  bench.now = at("2026-01-10T12:00:00Z");
  const rows = monthOf("2025-03");
  await storeMonth(corner.db, corner.objects, rows);
  const late = beat("2025-03-05T10:15:00Z", 900_001, { tz: "UTC", local_date: "2025-03-05", value: 99 });
  await bench.stage(late);
  const gone = rows.find((row) => row.metric === "heart_rate") as Sample;
  await bench.tombstone(gone, "deleted");
  const seen: unknown[] = [];
  let cursor: string | null = null;
  do {
    const query = {
      metric: "heart_rate",
      from: "2025-03-01",
      to: "2025-03-31",
      limit: 300,
      ...(cursor === null ? {} : { cursor }),
    };
    const page: Answer = await bench.ask("samples", query);
    seen.push(...page.points.map((point) => point[page.columns.indexOf("sample_id")]));
    cursor = page.next;
  } while (cursor !== null);
  const expected = [...rows, late]
    .filter((row) => row.metric === "heart_rate" && row !== gone)
    .toSorted((a, b) => a.start_at - b.start_at)
    .map((row) => row.sample_id);
  expect(seen).toEqual(expected);
});
