import { readFileSync } from "node:fs";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { digest } from "../src/flow/digest.ts";
import type { ObjectStore } from "../src/flow/ports.ts";
import type { RouteRequest } from "../src/flow/route.ts";
import { slots } from "../src/flow/slots.ts";
import { cacheObjects } from "../src/io/object-cache.ts";
import { parquetFormat } from "../src/io/parquet.ts";
import { samplesRoute } from "../src/query/samples.ts";
import { type Spread, spreadOf } from "./figures.ts";
import { BY_DAY, BY_MONTH, type Lake, counted, inLake } from "./lake.ts";
import type { Say } from "./place.ts";

export type HistoryBench = { rounds: number; seed: number; stack: string | undefined; say: Say };
export type HistoryRow = { span: string; delay_ms: number; what: string; ms: Spread; cpu_ms: Spread } & Asked;
type Asked = { gets: number; kib: number };

const FIRST = "2025-01-01";
const METRIC = "heart_rate";
const CACHE_BYTES = 128 << 20;
const DOWNLOADS = 8;
const DELAYS = [0, 20];

type Span = { name: string; athlete: string; from: string; to: string };
const SPANS: readonly Span[] = [
  { name: "1 day", athlete: BY_DAY, from: "2025-06-10", to: "2025-06-10" },
  { name: "30 days", athlete: BY_DAY, from: "2025-06-01", to: "2025-06-30" },
  { name: "365 days, 12 months", athlete: BY_MONTH, from: "2025-01-01", to: "2025-12-31" },
];

/** Days with values, the smallest and the largest: every contender must answer the same. */
type Answer = string;
type Contender = { what: string; run: () => Promise<Answer | null>; asked: () => Asked; timed: boolean };

const NONE = (): Asked => ({ gets: 0, kib: 0 });
const answerOf = (days: readonly { min: number; max: number }[]): Answer =>
  `${days.length} ${Math.min(...days.map(({ min }) => min))} ${Math.max(...days.map(({ max }) => max))}`;

const product = (lake: Lake, span: Span, store: Pick<ObjectStore, "get" | "getRange">) => {
  const clock = { now: () => Date.now() };
  const route = samplesRoute({ db: lake.db, objects: store, parquet: parquetFormat, digest, clock });
  const query = { metric: METRIC, from: span.from, to: span.to, resolution: "1d" };
  return async (): Promise<Answer> => {
    const answer = await route.handler({ athlete_id: span.athlete, query, headers: {} } as unknown as RouteRequest);
    const { columns, points } = answer.body as { columns: string[]; points: number[][] };
    const at = (name: string): number => columns.indexOf(name);
    return answerOf(points.map((p) => ({ min: p[at("min")] ?? NaN, max: p[at("max")] ?? NaN })));
  };
};

const duckdb = async () => {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const connection = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
  return async (files: readonly string[], span: Span): Promise<Answer> => {
    const list = files.map((file) => `'${file}'`).join(",");
    const reader = await connection.runAndReadAll(
      `select local_date, count(*), avg(value), min(value) as min, max(value) as max from read_parquet([${list}])
       where metric = '${METRIC}' and local_date between '${span.from}' and '${span.to}' group by 1 order by 1`,
    );
    return answerOf(reader.getRowObjects().map(({ min, max }) => ({ min: Number(min), max: Number(max) })));
  };
};

const keysOf = async (lake: Lake, span: Span): Promise<string[]> => {
  const rows = await lake.db.query<{ object_key: string }>(
    `select object_key from health_streams where athlete_id = $1 and period_start <= $3 and period_end >= $2`,
    [span.athlete, span.from, span.to],
  );
  return rows.map(({ object_key }) => object_key);
};

type Duck = Awaited<ReturnType<typeof duckdb>>;

const downloaded = (store: ObjectStore, keys: readonly string[], folder: string) => async (): Promise<string[]> => {
  const turn = slots(DOWNLOADS);
  return Promise.all(
    keys.map((key, at) =>
      turn(async () => {
        const file = join(folder, `${at}.parquet`);
        writeFileSync(file, await store.get(key));
        return file;
      }),
    ),
  );
};

const contenders = async (lake: Lake, span: Span, given: { delay: number; duck: Duck | null; folder: string }) => {
  const { delay, duck, folder } = given;
  const keys = await keysOf(lake, span);
  const files = keys.map((key) => lake.files.get(key) ?? "");
  const [cold, behind, peer] = [counted(lake.store, delay), counted(lake.store, delay), counted(lake.store, delay)];
  const fetch = downloaded(peer.store, keys, folder);
  const asked = (seen: typeof cold) => (): Asked => {
    const now = { gets: seen.gets, kib: seen.bytes / 1024 };
    Object.assign(seen, { gets: 0, bytes: 0 });
    return now;
  };
  const ours = product(lake, span, cacheObjects(behind.store, CACHE_BYTES));
  const all: Contender[] = [
    { what: "samples, cold", run: product(lake, span, cold.store), asked: asked(cold), timed: true },
    { what: "samples, warm cache", run: ours, asked: asked(behind), timed: true },
    {
      what: "the objects' bytes, local files",
      run: async () => (files.map((file) => readFileSync(file).length), null),
      asked: NONE,
      timed: delay === 0,
    },
  ];
  if (duck) {
    const remote = async (): Promise<Answer> => duck(await fetch(), span);
    all.push(
      { what: "download, then DuckDB", run: remote, asked: asked(peer), timed: true },
      { what: "DuckDB, local files", run: () => duck(files, span), asked: NONE, timed: delay === 0 },
    );
  }
  return all.filter(({ timed }) => timed);
};

const rounds = async (all: readonly Contender[], count: number) => {
  const took = all.map(() => ({ ms: [] as number[], cpu_ms: [] as number[], asked: NONE() }));
  const answers = new Set<Answer>();
  // Round 0 warms caches and compilers, and is not counted.
  for (let round = 0; round <= count; round += 1) {
    for (const [at, contender] of all.entries()) {
      const [began, cpu] = [performance.now(), process.cpuUsage()];
      const answer = await contender.run();
      const [ms, used] = [performance.now() - began, process.cpuUsage(cpu)];
      if (answer !== null) answers.add(answer);
      const asked = contender.asked();
      const into = took[at];
      if (round === 0 || !into) continue;
      into.ms.push(ms);
      into.cpu_ms.push((used.user + used.system) / 1000);
      into.asked = asked;
    }
  }
  if (answers.size > 1) throw new Error(`contenders answered differently: ${[...answers].join(" | ")}`);
  return took;
};

const openDuck = async (say: Say): Promise<Duck | null> => {
  try {
    return await duckdb();
  } catch {
    say("DuckDB is not installed: npm install --no-save @duckdb/node-api");
    return null;
  }
};

/** B6: daily figures of one athlete's heart rates over a day, a month and a year of closed months. */
export const benchHistory = (bench: HistoryBench): Promise<{ rows: HistoryRow[]; samples: number }> =>
  inLake({ ...bench, first: FIRST, days: 365 }, async (lake) => {
    const folder = mkdtempSync(join(tmpdir(), "health-sync-bench-"));
    const duck = await openDuck(bench.say);
    const rows: HistoryRow[] = [];
    try {
      for (const delay of DELAYS) {
        for (const span of SPANS) {
          bench.say(`${span.name}, +${delay} ms a request`);
          const all = await contenders(lake, span, { delay, duck, folder });
          const took = await rounds(all, bench.rounds);
          for (const [at, { ms, cpu_ms, asked }] of took.entries()) {
            const figures = { ms: spreadOf(ms), cpu_ms: spreadOf(cpu_ms), ...asked };
            rows.push({ span: span.name, delay_ms: delay, what: all[at]?.what ?? "", ...figures });
          }
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return { rows, samples: lake.rows };
  });
