import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { beforeEach, expect, test } from "vitest";
import { digest } from "../../src/flow/digest.ts";
import type { ObjectStore } from "../../src/flow/ports.ts";
import type { Sample } from "../../src/domain/sample.ts";
import { parquetFormat } from "../../src/io/parquet.ts";
import type { Format } from "../../src/query/formats.ts";
import { queryRoutes } from "../../src/query/routes.ts";
import { at, steps, uuid } from "../domain/make.ts";
import { openCorner } from "../support/corner.ts";
import { openEdge, tokenFor } from "../support/ingest/edge.ts";
import { type Answer, beat, openQueryBench } from "../support/query-bench.ts";
import { daysFrom, storeMonth, storeRows } from "../support/seed-samples.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("samples-formats");
const corner = await openCorner(here);
const bench = openQueryBench(corner);
const duck = await (await DuckDBInstance.create(":memory:")).connect();
const QUOTED = 'Ada\'s "Watch", and\nanother line';

/** Called before each object is read. */
let beforeGet: (key: string) => Promise<void> = async () => undefined;
const objects: Pick<ObjectStore, "get" | "getRange"> = {
  get: async (key) => {
    await beforeGet(key);
    return corner.objects.get(key);
  },
  getRange: async (key, range) => {
    await beforeGet(key);
    return corner.objects.getRange(key, range);
  },
};
const edge = await openEdge(
  queryRoutes({
    db: corner.db,
    objects,
    parquet: parquetFormat,
    digest,
    clock: { now: () => at("2026-02-06T12:00:00Z") },
    isTransient: (error) => (error as Error).message === "away",
  }),
);
const token = await tokenFor();
const get = (query: string, more: RequestInit = {}): Promise<Response> =>
  fetch(`${edge.url}/v1/athletes/a1/samples?${query}`, {
    ...more,
    headers: { authorization: `Bearer ${token}`, ...(more.headers as Record<string, string>) },
  });

/** A body that nobody reads would keep its connection, and the server's end, waiting. */
const statusOf = async (query: string, more?: RequestInit): Promise<number> => {
  const answer = await get(query, more);
  await answer.arrayBuffer();
  return answer.status;
};

let ids = 0;
/** Some of them exactly where slices meet: at midnight, and over it. */
const dayOf = (date: string, beats: number): Sample[] => {
  const midnight = at(`${date}T00:00:00Z`);
  const own = { tz: "UTC", local_date: date };
  return [
    ...Array.from({ length: beats }, (_, n) => {
      const start_at = midnight + n * Math.floor(86_400_000 / beats);
      const source = n % 50 === 0 ? QUOTED : "watch";
      return beat(`${date}T00:00:00Z`, (ids += 1), {
        ...own,
        start_at,
        end_at: start_at,
        value: 50 + (n % 40) / 3,
        source,
      });
    }),
    steps("watch", ["23:50:00", "23:59:00"], 500 / 3, {
      ...own,
      sample_id: uuid((ids += 1)),
      start_at: midnight + 86_400_000 - 600_000,
      end_at: midnight + 86_400_000 + 600_000,
    }),
  ];
};

/** A month in one object, days of their own, staged ones, a late row, a deleted one. */
const fill = async (): Promise<void> => {
  const month = daysFrom("2026-01-01", 31).flatMap((date) => dayOf(date, 750));
  await storeMonth(corner.db, corner.objects, month);
  await storeRows(
    corner.db,
    corner.objects,
    daysFrom("2026-02-01", 3).flatMap((date) => dayOf(date, 60)),
  );
  await bench.stage(...daysFrom("2026-02-04", 2).flatMap((date) => dayOf(date, 60)));
  await bench.stage(beat("2026-01-15T10:15:00.123Z", (ids += 1), { tz: "UTC", local_date: "2026-01-15", value: 199 }));
  await bench.tombstone(month[1000] as Sample, "deleted");
};

beforeEach(() => {
  beforeGet = async () => undefined;
  bench.now = at("2026-02-06T12:00:00Z");
});

const RANGE = "from=2025-12-30T07:00:00Z&to=2026-02-06T05:00:00Z";

const paged = async (metric: string, resolution: string): Promise<Answer> => {
  const [from, to] = ["2025-12-30T07:00:00Z", "2026-02-06T05:00:00Z"];
  const points: unknown[][] = [];
  let cursor: string | null = null;
  for (;;) {
    const more = cursor === null ? {} : { cursor };
    const page: Answer = await bench.ask("samples", { metric, from, to, resolution, limit: 9000, ...more });
    for (const point of page.points) points.push(point);
    cursor = page.next;
    if (cursor === null) return { ...page, points };
  }
};

const folder = mkdtempSync(join(tmpdir(), "health-sync-formats-"));
const isInstant = (name: string): boolean => name === "start_at" || name === "end_at";
const read = async (table: string, columns: readonly string[]): Promise<unknown[][]> => {
  const cells = columns.map((name) =>
    isInstant(name)
      ? `epoch_ms(${name}::timestamptz)::double`
      : name === "date" || name === "sample_id" || name === "source"
        ? `${name}::varchar`
        : `${name}::double`,
  );
  const rows = (await duck.runAndReadAll(`select ${cells.join(", ")} from ${table}`)).getRowsJson();
  return rows.map((row) =>
    row.map((cell, n) => (isInstant(columns[n] ?? "") ? new Date(cell as number).toISOString() : cell)),
  );
};

const READERS: Record<Format, (bytes: Buffer, columns: readonly string[]) => Promise<unknown[][]>> = {
  json: async (bytes) => (JSON.parse(bytes.toString()) as Answer).points,
  ndjson: async (bytes, columns) =>
    bytes
      .toString()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .map((row) => columns.map((name) => row[name])),
  csv: async (bytes, columns) => {
    writeFileSync(join(folder, "series.csv"), bytes);
    return read(`read_csv('${folder}/series.csv', header = true, all_varchar = true)`, columns);
  },
  parquet: async (bytes, columns) => {
    writeFileSync(join(folder, "series.parquet"), bytes);
    return read(`read_parquet('${folder}/series.parquet')`, columns);
  },
};

test(
  "every format holds what the pages hold, in order, over a month, days and staging",
  { timeout: 120_000 },
  async () => {
    await fill();
    for (const [metric, resolution] of [
      ["heart_rate", "raw"],
      ["heart_rate", "1h"],
      ["heart_rate", "1d"],
      ["steps", "raw"],
      ["steps", "15m"],
      ["steps", "1d"],
    ] as const) {
      const wanted = await paged(metric, resolution);
      expect(wanted.points.length).toBeGreaterThan(30);
      for (const [format, reader] of Object.entries(READERS) as [Format, (typeof READERS)[Format]][]) {
        const answer = await get(`metric=${metric}&${RANGE}&resolution=${resolution}&format=${format}`);
        const bytes = Buffer.from(await answer.arrayBuffer());
        expect(await reader(bytes, wanted.columns), `${metric} ${resolution} ${format}`).toEqual(wanted.points);
        expect(answer.headers.get("vary")).toBe("accept");
      }
    }
  },
);

test("a long series is one JSON document, and a Parquet file of several row groups", async () => {
  await fill();
  const document = await get(`metric=heart_rate&${RANGE}&format=json`);
  expect(await document.json()).toEqual(await paged("heart_rate", "raw"));
  const file = await get(`metric=heart_rate&${RANGE}`, { headers: { accept: "application/vnd.apache.parquet" } });
  writeFileSync(join(folder, "long.parquet"), Buffer.from(await file.arrayBuffer()));
  const groups = await duck.runAndReadAll(
    `select count(distinct row_group_id)::int as n from parquet_metadata('${folder}/long.parquet')`,
  );
  expect(Number(groups.getRowsJson()[0]?.[0])).toBeGreaterThan(1);
});

test("a stream may be of any span, asked for by format or by Accept; pages may not", async () => {
  await storeRows(corner.db, corner.objects, [
    beat("2020-05-05T12:00:00Z", 1, { tz: "UTC", local_date: "2020-05-05" }),
  ]);
  await bench.stage(beat("2026-02-06T11:00:00Z", 2, { tz: "UTC", local_date: "2026-02-06" }));
  const query = "metric=heart_rate&from=1950-01-01&to=2100-01-01";
  const csv = await get(query, { headers: { accept: "text/csv" } });
  expect([csv.status, csv.headers.get("content-type")]).toEqual([200, "text/csv; charset=utf-8"]);
  expect((await csv.text()).trim().split("\r\n")).toHaveLength(3);
  const whole = (await (await get(`${query}&format=json`)).json()) as Answer;
  expect(whole).toMatchObject({ next: null, metric: "heart_rate", points: [expect.anything(), expect.anything()] });
  expect(await statusOf(query)).toBe(400);
  expect(await statusOf(query, { headers: { accept: "application/json" } })).toBe(400);
  const none = await get("metric=body_mass&from=1950-01-01&format=csv");
  expect(await none.text()).toBe("start_at,end_at,value,source,sample_id\r\n");
});

test("formats without pages refuse a limit and a cursor; an unknown format is refused", async () => {
  for (const query of [
    "metric=steps&format=csv&limit=5",
    "metric=steps&format=parquet&cursor=x",
    "metric=steps&format=xml",
  ]) {
    expect(await statusOf(query), query).toBe(400);
  }
  const page = await get("metric=steps&format=json&limit=5");
  expect([page.status, page.headers.get("content-disposition")]).toEqual([200, null]);
  expect(await page.json()).toMatchObject({ points: [] });
});

const MONTHS = ["2025-08", "2025-09", "2025-10", "2025-11", "2025-12"];
const someMonths = async (): Promise<void> => {
  // Tells the zone, so that no object is asked for it.
  await bench.stage(beat("2026-02-06T11:00:00Z", (ids += 1), { tz: "UTC", local_date: "2026-02-06" }));
  for (const month of MONTHS) {
    await storeRows(
      corner.db,
      corner.objects,
      daysFrom(`${month}-01`, 3).flatMap((date) => dayOf(date, 5)),
    );
  }
};

const away = async (): Promise<never> => {
  throw new Error("away");
};

test("a store that goes away before the first bytes is a 503; after them the answer breaks off", async () => {
  await someMonths();
  beforeGet = away;
  const query = "metric=heart_rate&from=2025-08-01&to=2025-12-31&format=ndjson";
  expect(await statusOf(query)).toBe(503);
  beforeGet = async (key) => (key.includes("2025-12") ? away() : undefined);
  const answer = await get(query);
  expect(answer.status).toBe(200);
  await expect(answer.text()).rejects.toThrow("terminated");
});

test("only some streams run at once, and clients that go away stop their reading", { timeout: 60_000 }, async () => {
  await someMonths();
  const held = Promise.withResolvers<void>();
  let [reading, read] = [0, 0];
  beforeGet = async (key) => {
    if (key.includes("2025-08")) return;
    reading += 1;
    await held.promise;
    read += 1;
  };
  const query = "metric=heart_rate&from=2025-08-01&to=2025-12-31&format=csv";
  const leaving = new AbortController();
  const running = await Promise.all(Array.from({ length: 16 }, () => get(query, { signal: leaving.signal })));
  expect(new Set(running.map(({ status }) => status))).toEqual(new Set([200]));
  await expect.poll(() => reading, { timeout: 20_000 }).toBeGreaterThanOrEqual(16);
  expect(await statusOf(query)).toBe(503);
  leaving.abort();
  held.resolve();
  const asked = () => statusOf("metric=steps&from=2025-08-01&to=2025-08-02&format=csv");
  await expect.poll(asked, { timeout: 20_000 }).toBe(200);
  // Sixteen whole readings would be of the days of four months each.
  expect(read).toBeLessThan(16 * 4 * 3);
});
