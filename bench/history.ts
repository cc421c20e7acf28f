import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { digest } from "../src/flow/digest.ts";
import type { ByteRange, ObjectStore } from "../src/flow/ports.ts";
import type { RouteRequest } from "../src/flow/route.ts";
import { slots } from "../src/flow/slots.ts";
import { cacheObjects } from "../src/io/object-cache.ts";
import { footerOf } from "../src/io/parquet-file.ts";
import { parquetFormat } from "../src/io/parquet.ts";
import { samplesRoute } from "../src/query/samples.ts";
import { type Duck, type Span, localDuck, remoteDuck } from "./duckdb.ts";
import { type Spread, spreadOf } from "./figures.ts";
import { BY_DAY, BY_MONTH, type Lake, counted, inLake } from "./lake.ts";
import type { Say } from "./place.ts";
import { type SlowStore, slowStore } from "./slow-store.ts";

export type HistoryBench = {
  rounds: number;
  seed: number;
  stack: string | undefined;
  /** DuckDB's extension of that name: a file. */
  httpfs: string | undefined;
  say: Say;
};
export type HistoryRow = { span: string; delay_ms: number; what: string; ms: Spread; cpu_ms: Spread } & Asked;
type Asked = { gets: number; kib: number };

const FIRST = "2025-01-01";
const METRIC = "heart_rate";
const CACHE_BYTES = 128 << 20;
const DOWNLOADS = 8;
const DELAYS = [0, 20];

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

const keysOf = async (lake: Lake, span: Span): Promise<string[]> => {
  const rows = await lake.db.query<{ object_key: string }>(
    `select object_key from health_streams where athlete_id = $1 and period_start <= $3 and period_end >= $2`,
    [span.athlete, span.from, span.to],
  );
  return rows.map(({ object_key }) => object_key);
};

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

/** The bytes of a file that hold the series, and no others. */
const exactly = (file: string): { file: string; range: ByteRange } => {
  const bytes = readFileSync(file);
  return { file, range: parquetFormat.seriesRange(footerOf(bytes), METRIC) ?? { from: 0, to: bytes.length } };
};

const readExactly = ({ file, range }: ReturnType<typeof exactly>): void => {
  const at = openSync(file, "r");
  readSync(at, new Uint8Array(range.to - range.from), 0, range.to - range.from, range.from);
  closeSync(at);
};

const askedOf = (seen: { gets: number; bytes: number }) => (): Asked => {
  const now = { gets: seen.gets, kib: seen.bytes / 1024 };
  Object.assign(seen, { gets: 0, bytes: 0 });
  return now;
};

type Given = { delay: number; ducks: Ducks; folder: string };

const ours = (lake: Lake, span: Span, { delay }: Given): Contender[] => {
  const [cold, behind] = [counted(lake.store, delay), counted(lake.store, delay)];
  const warm = cacheObjects(behind.store, CACHE_BYTES);
  return [
    { what: "samples, cold", run: product(lake, span, cold.store), asked: askedOf(cold), timed: true },
    { what: "samples, warm cache", run: product(lake, span, warm), asked: askedOf(behind), timed: true },
  ];
};

const theirs = (lake: Lake, span: Span, keys: readonly string[], { delay, ducks, folder }: Given): Contender[] => {
  const peer = counted(lake.store, delay);
  const fetch = downloaded(peer.store, keys, folder);
  const files = keys.map((key) => lake.files.get(key) ?? "");
  const { local, cold, warm, slow } = ducks;
  const through = (): Asked => {
    const now = { gets: slow?.asked.requests ?? 0, kib: (slow?.asked.bytes ?? 0) / 1024 };
    if (slow) Object.assign(slow.asked, { requests: 0, bytes: 0 });
    return now;
  };
  const all: (Contender | null)[] = [
    cold && {
      what: "DuckDB over HTTP, cold",
      run: async () => answerOf(await cold(keys, span)),
      asked: through,
      timed: true,
    },
    warm && {
      what: "DuckDB over HTTP, warm",
      run: async () => answerOf(await warm(keys, span)),
      asked: through,
      timed: true,
    },
    local && {
      what: "download, then DuckDB",
      run: async () => answerOf(await local(await fetch(), span)),
      asked: askedOf(peer),
      timed: true,
    },
    local && {
      what: "DuckDB, local files",
      run: async () => answerOf(await local(files, span)),
      asked: NONE,
      timed: delay === 0,
    },
  ];
  return all.filter((one) => one !== null);
};

const contenders = async (lake: Lake, span: Span, given: Given): Promise<Contender[]> => {
  const keys = await keysOf(lake, span);
  const exact = keys.map((key) => exactly(lake.files.get(key) ?? ""));
  const needed = exact.reduce((sum, { range }) => sum + range.to - range.from, 0);
  const ceiling: Contender = {
    what: "exactly its bytes, local files",
    run: async () => (exact.forEach(readExactly), null),
    asked: () => ({ gets: 0, kib: needed / 1024 }),
    timed: given.delay === 0,
  };
  return [...ours(lake, span, given), ceiling, ...theirs(lake, span, keys, given)].filter(({ timed }) => timed);
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

/** `slow`: what DuckDB reads through, so that its requests are counted and wait as ours do. */
type Ducks = { local: Duck | null; cold: Duck | null; warm: Duck | null; slow: SlowStore | null };

const openDucks = async (lake: Lake, { httpfs, say }: HistoryBench, delay: number): Promise<Ducks> => {
  const none: Ducks = { local: null, cold: null, warm: null, slow: null };
  try {
    none.local = await localDuck(METRIC);
  } catch {
    say("DuckDB is not installed: npm install --no-save @duckdb/node-api");
    return none;
  }
  const { objects } = lake.connections.config;
  if (httpfs === undefined || objects.endpoint === undefined) return none;
  const slow = await slowStore(new URL(objects.endpoint), delay);
  const remote = { extension: httpfs, objects, endpoint: slow.endpoint };
  return {
    ...none,
    cold: await remoteDuck(METRIC, { ...remote, cached: false }),
    warm: await remoteDuck(METRIC, { ...remote, cached: true }),
    slow,
  };
};

/** B6: daily figures of one athlete's heart rates over a day, a month and a year of closed months. */
export const benchHistory = (bench: HistoryBench): Promise<{ rows: HistoryRow[]; samples: number }> =>
  inLake({ ...bench, first: FIRST, days: 365 }, async (lake) => {
    const folder = mkdtempSync(join(tmpdir(), "health-sync-bench-"));
    const rows: HistoryRow[] = [];
    try {
      for (const delay of DELAYS) {
        const ducks = await openDucks(lake, bench, delay);
        for (const span of SPANS) {
          bench.say(`${span.name}, +${delay} ms a request`);
          const all = await contenders(lake, span, { delay, ducks, folder });
          const took = await rounds(all, bench.rounds);
          for (const [at, { ms, cpu_ms, asked }] of took.entries()) {
            const figures = { ms: spreadOf(ms), cpu_ms: spreadOf(cpu_ms), ...asked };
            rows.push({ span: span.name, delay_ms: delay, what: all[at]?.what ?? "", ...figures });
          }
        }
        await ducks.slow?.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return { rows, samples: lake.rows };
  });
