import { expect, test } from "vitest";
import { Problem, type RouteRequest } from "../../src/flow/route.ts";
import { at } from "../domain/make.ts";
import { openCorner } from "../support/corner.ts";
import { beat, openQueryBench } from "../support/query-bench.ts";
import { storeRows } from "../support/seed-samples.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("query-many");
const corner = await openCorner(here);
const { db } = corner;
const bench = openQueryBench(corner);

const TEAM = ["anna", "berta", "carla"];
type Athlete = { athlete_id: string; last_sync: string | null; last_samples: object; metrics: object[] };
type Page = { athletes: Athlete[]; next: string | null };

const ask = async (query: object, athletes: RouteRequest["athletes"] = "*"): Promise<Page> => {
  const route = bench.routesOn(db).find(({ path }) => path === "/v1/metrics");
  const answer = await route?.handler({ query, athletes } as unknown as RouteRequest);
  return answer?.body as Page;
};
const problem = async (query: object, athletes: RouteRequest["athletes"] = "*") => {
  const error = await ask(query, athletes).catch((thrown: unknown) => thrown);
  if (error instanceof Problem) return { status: error.status, path: error.errors[0]?.path };
  throw new Error("no problem");
};

const seed = async (): Promise<void> => {
  bench.now = at("2026-03-11T12:00:00Z");
  for (const athlete of TEAM) await db.query(`insert into athletes (athlete_id) values ($1)`, [athlete]);
  for (const [athlete, date, source, value, locked] of [
    ["anna", "2026-03-10", "derived", 8000, false],
    ["anna", "2026-03-10", "apple_health", 9000, false],
    ["anna", "2026-03-01", "derived", 1, false],
    ["carla", "2026-03-11", "derived", 500, true],
  ] as const)
    await db.query(
      `insert into athlete_metrics (athlete_id, date, metric, source, value, unit, locked, is_final, revision, updated_at)
       values ($1, $2, 'steps', $3, $4, 'count', $5, true, nextval('revisions'), now())`,
      [athlete, date, source, value, locked],
    );
};

test("many athletes come in one call with their effective values, paged by athlete", async () => {
  await seed();
  const first = await ask({ limit: 2 });
  expect(first.athletes.map(({ athlete_id, metrics }) => [athlete_id, metrics.length])).toEqual([
    ["anna", 1],
    ["berta", 0],
  ]);
  expect(first.athletes[0]?.metrics[0]).toMatchObject({ date: "2026-03-10", source: "apple_health", value: 9000 });
  const second = await ask({ limit: 2, cursor: first.next });
  expect(second.athletes.map(({ athlete_id }) => athlete_id)).toEqual(["carla"]);
  expect(second.next).toBeNull();
  const some = await ask({ athletes: "carla,anna", metric: "weight,steps", from: "2026-03-11", to: "2026-03-11" });
  expect(some.athletes.map(({ metrics }) => metrics.length)).toEqual([0, 1]);
});

test("no data is told from zero: the last sample behind a metric, staged or stored, and the last sync stand beside", async () => {
  await seed();
  await storeRows(db, corner.objects, [beat("2026-03-10T08:00:00Z", 1, { athlete_id: "anna", metric: "body_mass" })]);
  await bench.stage(
    beat("2026-03-11T08:00:00Z", 2, { athlete_id: "anna", metric: "body_mass" }),
    beat("2026-03-11T09:00:00Z", 3, { athlete_id: "anna", metric: "steps" }),
  );
  await db.query(
    `insert into ingest_batches (athlete_id, batch_id, received_at, body_hash, received, accepted, deletions, rejected, ignored, written)
     select 'anna', b, t::timestamptz, '', 0, 0, 0, '[]', '{}', '[]'
     from (values ('1', '2026-03-11T09:30:00Z'), ('2', '2026-03-11T09:10:00Z')) as v(b, t)`,
  );
  const { athletes } = await ask({ athletes: "anna,berta" });
  expect(athletes[0]).toMatchObject({
    last_sync: "2026-03-11T09:30:00.000Z",
    last_samples: { weight: "2026-03-11T08:00:00.000Z", steps: "2026-03-11T09:00:00.000Z" },
  });
  expect(athletes[1]).toMatchObject({ last_sync: null, last_samples: {}, metrics: [] });
  await db.query(`delete from ingest_batches`);
});

test("a token sees its own athletes only, asked for or not", async () => {
  await seed();
  expect((await ask({}, ["berta", "carla"])).athletes.map(({ athlete_id }) => athlete_id)).toEqual(["berta", "carla"]);
  expect(await problem({ athletes: "anna,berta" }, ["berta"])).toEqual({ status: 403, path: undefined });
});

test.each<[what: string, query: object, path: string]>([
  ["a path", { athletes: "anna,../b" }, "athletes"],
  ["nobody", { athletes: "" }, "athletes"],
  ["too many athletes", { athletes: Array.from({ length: 1001 }, (_, n) => `a${n}`).join(",") }, "athletes"],
  ["a metric in capitals", { metric: "Steps" }, "metric"],
  ["an empty metric", { metric: "steps," }, "metric"],
  ["half a year", { from: "2026-01-01", to: "2026-06-01" }, "from"],
  ["a word for a date", { from: "yesterday" }, "from"],
  ["a cursor of nobody", { cursor: "?" }, "cursor"],
])("%s is refused", async (_, query, path) => {
  expect(await problem(query)).toEqual({ status: 400, path });
});
