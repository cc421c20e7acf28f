import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { readConfig } from "../src/config.ts";
import { openObjects } from "../src/io/objects.ts";
import { openDatabase } from "../src/io/postgres.ts";
import { mintToken } from "../src/ops/token.ts";
import { writeExport } from "./generator/export-xml.ts";
import { measure, type Usage } from "./measure.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { followWorker, type WorkerFigures } from "./scrape.ts";
import { startProbes, type Freshness } from "./probe.ts";
import type { Restart } from "./heard.ts";
import { type Served, serving } from "./serve.ts";
import { MAIN } from "./worker.ts";

export type BackfillBench = {
  athletes: number;
  days: number;
  /** Live samples a second. */
  live: number;
  seed: number;
  /** Of live traffic alone, before the import. */
  before_s: number;
  stack: string | undefined;
  say: Say;
};

/** `first_s`, `last_s`: when the athlete's first and last day stood in Parquet, counted from the start of all imports. */
export type Share = { athlete: string; rows: number; days: number; written: number; most: number } & Moments;
type Moments = { first_s: number; last_s: number };

export type BackfillFigures = {
  freshness: Freshness[];
  shares: Share[];
  records: number;
  seconds: number;
  /** CPU while the imports ran, and the highest resident memory before and until then; of the imports the largest. */
  processes: { name: string; cpu_s: number; mb_before: number; mb: number }[];
  /** While the imports ran. */
  worker: WorkerFigures;
  /** Of parts, also before the imports. */
  restarts: readonly Restart[];
};

const DAY = 86_400_000;
/** Long enough over that no day is open, whatever the zone. */
const DAYS_AGO = 4;
/** So many that the day of each stays short however long the import takes: what `today` answers costs the same throughout. */
const LIVE_ATHLETES = 40;
const SETTLE_MS = 5_000;

type Export = { athlete: string; file: string; home: string; records: number };

const writeExports = ({ athletes, days, seed }: BackfillBench, folder: string): Export[] => {
  const firstDate = new Date(Date.now() - (days + DAYS_AGO) * DAY).toISOString().slice(0, 10);
  return Array.from({ length: athletes }, (_, n) => {
    const file = join(folder, `export-${n}.xml`);
    const { home, records } = writeExport(file, { seed: seed + n, firstDate, days, sprinkle: true });
    return { athlete: `past-${n}`, file, home, records };
  });
};

/** How often each day was written: objects are kept for days after they were superseded, and nothing else writes here. */
const generations = async (env: NodeJS.ProcessEnv, athlete: string): Promise<Map<string, number>> => {
  const objects = openObjects(readConfig(env).objects);
  const found = new Map<string, number>();
  for await (const { key } of objects.list(`health_streams/athlete=a_${athlete}/`)) {
    const date = key.slice(key.lastIndexOf("/") + 1).split(".", 1)[0] ?? "";
    found.set(date, (found.get(date) ?? 0) + 1);
  }
  objects.close();
  return found;
};

type Stored = { athlete_id: string; rows: number; first_at: number; last_at: number };

const sharesOf = async (env: NodeJS.ProcessEnv, exports: readonly Export[], began: number): Promise<Share[]> => {
  const db = openDatabase({ url: readConfig(env).databaseUrl, max: 1 });
  const stored = await db.query<Stored>(
    `select athlete_id, sum(row_count)::float8 as rows, min(written_at) as first_at, max(written_at) as last_at
     from health_streams group by athlete_id`,
  );
  await db.close();
  const seconds = (at: number | undefined): number => ((at ?? Number.NaN) - began) / 1000;
  return Promise.all(
    exports.map(async ({ athlete }) => {
      const row = stored.find(({ athlete_id }) => athlete_id === athlete);
      const counts = [...(await generations(env, athlete)).values()];
      const written = counts.reduce((sum, n) => sum + n, 0);
      const moments = { first_s: seconds(row?.first_at), last_s: seconds(row?.last_at) };
      return { athlete, rows: row?.rows ?? 0, days: counts.length, written, most: Math.max(...counts), ...moments };
    }),
  );
};

const importAll = async (exports: readonly Export[], env: NodeJS.ProcessEnv): Promise<Usage> => {
  const runs = exports.map(({ athlete, file, home }) =>
    measure([MAIN, "import", file, "--athlete", athlete, "--time-zone", home], env, process.execPath, true),
  );
  const done = await Promise.all(runs);
  for (const { athlete } of exports) await measure([MAIN, "wait", "--athlete", athlete, "--timeout", "7200"], env);
  const cpu_s = done.reduce((sum, one) => sum + one.cpu_s, 0);
  return { cpu_s, peak_mb: Math.max(...done.map(({ peak_mb }) => peak_mb)) };
};

const run = async (bench: BackfillBench, { env, say }: Place, exports: Export[], service: Served) => {
  const secret = env["AUTH_SECRET"] ?? "";
  const token = await mintToken({ secret, ttl: 86_400, athletes: "*", scopes: ["ingest", "read"] });
  const probes = startProbes({ url: service.url, token }, { a_second: bench.live, athletes: LIVE_ATHLETES });
  probes.phase("warming up");
  await sleep(SETTLE_MS);
  probes.phase("before");
  say(`live traffic alone for ${bench.before_s} s`);
  await sleep(bench.before_s * 1000);
  const before = service.lives.usage();
  probes.phase("during");
  say(`importing ${bench.athletes} exports side by side`);
  const following = followWorker(service.url);
  const [began, clock] = [Date.now(), performance.now()];
  const imports = await importAll(exports, env);
  const seconds = (performance.now() - clock) / 1000;
  const served = [...service.lives.usage()].map(([name, { cpu_s, peak_mb }]) => {
    const earlier = before.get(name) ?? { cpu_s: 0, peak_mb: 0 };
    return { name, cpu_s: cpu_s - earlier.cpu_s, mb_before: earlier.peak_mb, mb: peak_mb };
  });
  const worker = await following.stop();
  probes.phase("after");
  await sleep(SETTLE_MS);
  const freshness = (await probes.stop()).slice(1);
  return {
    freshness,
    shares: await sharesOf(env, exports, began),
    records: exports.reduce((sum, { records }) => sum + records, 0),
    seconds,
    processes: [{ name: "import", cpu_s: imports.cpu_s, mb_before: 0, mb: imports.peak_mb }, ...served],
    worker,
    restarts: service.restarts(),
  };
};

/** Years of several athletes imported while live batches flow: what it does to them, and what it costs. */
export const benchBackfill = (bench: BackfillBench): Promise<BackfillFigures> =>
  inPlace(bench, async (place) => {
    const folder = mkdtempSync(join(tmpdir(), "health-sync-bench-"));
    try {
      bench.say(`generating ${bench.athletes} × ${bench.days} days, seed ${bench.seed}`);
      const exports = writeExports(bench, folder);
      const env = { ...place.env, XDG_STATE_HOME: folder };
      return await serving({ ...place, env }, (service) => run(bench, { ...place, env }, exports, service));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
