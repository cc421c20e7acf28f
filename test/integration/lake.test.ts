import { mkdtempSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { Command } from "commander";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lakeCommand } from "../../src/ops/lake-command.ts";
import { ENGINES } from "../../src/ops/lake-sql.ts";
import { storeMonth } from "../support/seed-samples.ts";
import { isolated } from "../support/stack.ts";
import { openBench, quiesce } from "../support/windows/bench.ts";
import { NIGHT, at, heart, night, slept, steps } from "../support/windows/samples.ts";

const here = await isolated("lake");
const bench = openBench(here);
afterAll(() => bench.close());
const folder = mkdtempSync(join(tmpdir(), "health-sync-lake-"));

const lake = async (...options: string[]): Promise<string> => {
  const printed: string[] = [];
  const command = lakeCommand({
    print: (line) => void printed.push(line),
    open: async () => {
      const db = { ...bench.db, close: async () => undefined };
      return { db, bucket: here.bucket, endpoint: here.env.S3_ENDPOINT, region: here.env.S3_REGION };
    },
  });
  await new Command()
    .exitOverride()
    .addCommand(command)
    .parseAsync(["lake", "sql", ...options], { from: "user" });
  return printed.join("\n");
};

const beats = (date: string, count: number) =>
  Array.from({ length: count }, (_, n) =>
    heart(new Date(at(`${date}T08:00:00Z`) + n * 60_000).toISOString(), { value: 60 + n }),
  );

beforeAll(async () => {
  await bench.stage([
    ...night("2026-11-18"),
    ...slept("2026-11-17T23:00:00Z", NIGHT),
    ...beats("2026-11-18", 5),
    steps("2026-11-19T09:00:00Z", 900),
  ]);
  bench.now = at("2026-11-22T12:00:00Z");
  await quiesce(bench);
  // Superseded: its first object is still in the bucket.
  await bench.stage([heart("2026-11-18T21:00:00Z", { value: 99 })]);
  await quiesce(bench);
  const october = heart("2026-10-05T08:00:00Z", { value: 70, local_date: "2026-10-05" });
  await storeMonth(bench.db, bench.objects, [october]);
  // A mirror of the bucket, as `aws s3 sync` makes it: superseded objects too.
  for await (const { key } of bench.objects.list("")) {
    mkdirSync(join(folder, dirname(key)), { recursive: true });
    writeFileSync(join(folder, key), await bench.objects.get(key));
  }
});

const rowsOf = async (sql: string, query: string): Promise<unknown[]> => {
  const duck = await (await DuckDBInstance.create(":memory:")).connect();
  await duck.run(sql);
  return (await duck.runAndReadAll(query)).getRowObjectsJson();
};

const counts = (where: string, params: unknown[] = []) =>
  bench.db.query(`select coalesce(sum(row_count), 0) as n from health_streams where ${where}`, params);

test("DuckDB runs what is printed, and sees every row of the live objects and none of superseded ones", async () => {
  const all: unknown[] = [];
  for await (const object of bench.objects.list("health_streams/")) all.push(object);
  const [live] = await bench.db.query<{ n: number }>(`select count(*) as n from health_streams`);
  expect(all.length).toBeGreaterThan(live?.n ?? 0);
  const sql = await lake("--athlete", "anna", "--base", folder);
  const query = `select count(*)::int as n, count(distinct sample_id)::int as ids from health_streams`;
  const [counted] = await counts("athlete_id = 'anna'");
  expect(await rowsOf(sql, query)).toEqual([{ n: counted?.["n"], ids: counted?.["n"] }]);
});

test("a metric and dates select objects and rows, of days and months alike", async () => {
  const of = ["--base", folder, "--metric", "heart_rate"];
  const query = `select local_date::varchar as date, max(value) as top from health_streams group by 1 order by 1`;
  const november = [{ date: "2026-11-18", top: 99 }];
  const both = [{ date: "2026-10-05", top: 70 }, ...november];
  expect(await rowsOf(await lake(...of), query)).toEqual(both);
  expect(await rowsOf(await lake(...of, "--from", "2026-11-01"), query)).toEqual(november);
  expect(await rowsOf(await lake(...of, "--from", "2026-10-05", "--to", "2026-10-05"), query)).toEqual(
    both.slice(0, 1),
  );
});

test("nights come with their athlete, whom their files do not name", async () => {
  const sql = await lake("--sleep", "--base", folder, "--from", "2026-11-01");
  const [counted] = await bench.db.query<{ n: number }>(`select sum(row_count) as n from sleep_streams`);
  const rows = await rowsOf(sql, `select athlete_id, count(*)::int as n from sleep_streams group by 1`);
  expect(rows).toEqual([{ athlete_id: "anna", n: counted?.n }]);
  const columns = await rowsOf(sql, `select string_agg(column_name, ' ') as names from (describe sleep_streams)`);
  expect(columns).toEqual([{ names: "athlete_id session_id channel start_at end_at value source" }]);
});

test("every engine gets exactly the live objects where they are, and no secret", async () => {
  const live = await bench.db.query<{ object_key: string }>(`select object_key from health_streams`);
  const listed = JSON.parse(await lake("--json")) as { url: string; row_count: number }[];
  const urls = live.map(({ object_key }) => `s3://${here.bucket}/${object_key}`);
  expect(listed.map(({ url }) => url).toSorted()).toEqual(urls.toSorted());
  for (const engine of ENGINES) {
    const sql = await lake("--engine", engine);
    const named = [...sql.matchAll(/health_streams\/athlete=[^',}]+\.parquet/g)].map(([key]) => key);
    expect(named.toSorted(), engine).toEqual(live.map(({ object_key }) => object_key).toSorted());
    expect(sql).not.toContain(here.env.AWS_SECRET_ACCESS_KEY);
    expect(sql).not.toContain(here.env.AWS_ACCESS_KEY_ID);
  }
  expect(await lake("--engine", "duckdb")).toContain(new URL(here.env.S3_ENDPOINT).host);
});

test("nothing selected is said, not printed as an empty view", async () => {
  await expect(lake("--athlete", "nobody")).rejects.toThrow("no live object");
  expect(await lake("--athlete", "nobody", "--json")).toBe("[]");
});
