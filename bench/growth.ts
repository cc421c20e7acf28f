import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, setUp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import type { Database } from "../src/flow/ports.ts";
import { quantile } from "./figures.ts";
import { athlete } from "./generator/athlete.ts";
import { native } from "./generator/batches.ts";
import { dateOf, dayOf } from "./generator/calendar.ts";
import { generatedDay } from "./generator/day.ts";
import { random } from "./generator/random.ts";
import type { Body } from "./load.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { bodiesOf, sendBodies } from "./send.ts";
import { type Service, inService } from "./served.ts";

export type GrowthBench = {
  most: number;
  density: number;
  queries: number;
  seed: number;
  stack: string | undefined;
  say: Say;
};
export type Cell = {
  athletes: number;
  days: number;
  samples: number;
  /** Of edge and workers, until everything is durable. */
  cpu_s: number;
  stored_bytes: number;
  query_ms: number;
  query_cpu_ms: number;
  /** CPU of the whole service while nobody sends, %. */
  idle: number;
  /** Of the machine's time, for all of it. */
  seconds: number;
};
/** `idle`: CPU while nobody sends, against athletes. */
export type Slopes = { cpu: number; stored: number; query: number; idle: number };
export type GrowthFigures = { cells: Cell[]; slopes: Slopes };

const ATHLETES = [10, 100, 1000, 10_000];
const DAYS = [1, 7, 30, 365];
/** Heart rates and steps of a generated day. */
const A_DAY = 520;
const DAYS_AGO = 4;
const DAY = 86_400_000;
const REST_MS = 5_000;
/** The least that can be seen of a rest, in %: the kernel counts hundredths of a second. */
const TICK = 0.2;
/** What stays where everything of a cell is taken away: places in the log go on. */
const KEPT = ["schema_migrations", "consumer_offsets", "outbox_shards"];

const firstDateOf = (days: number): string => dateOf(Math.floor(Date.now() / DAY) - days - DAYS_AGO);

/** `density`: which share of a generated day is kept, so that many athletes fit into a cell. */
function* bodies({ seed, density }: GrowthBench, athletes: number, days: number): Generator<Body> {
  const first = firstDateOf(days);
  for (let n = 0; n < athletes; n += 1) {
    const who = athlete(seed, n, first);
    const dice = random(seed, `${who.athlete_id}/kept`);
    const samples = Array.from({ length: days }, (_, at) => dayOf(first) + at)
      .flatMap((day) => generatedDay(who, day))
      .filter(() => dice.chance(density / 100));
    yield* bodiesOf(who.athlete_id, samples.map(native));
  }
}

function* counted(all: Iterable<Body>, count: (samples: number) => void): Generator<Body> {
  for (const body of all) {
    count(body.samples);
    yield body;
  }
}

const forget = async (db: Database): Promise<void> => {
  const tables = await db.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' and not tablename = any($1)`,
    [KEPT],
  );
  await db.query(`truncate ${tables.map(({ name }) => name).join(", ")} cascade`);
};

/** Objects, and the tables that keep results and what is known of samples for ever. */
const storedBytes = async (db: Database): Promise<number> => {
  await db.query("vacuum analyze");
  const [row] = await db.query<{ bytes: number }>(
    `select (select coalesce(sum(bytes), 0) from health_streams)::float8 + sum(pg_total_relation_size(c))::float8 as bytes
     from unnest(array['athletes', 'windows', 'health_streams', 'athlete_metrics', 'day_facts', 'sleep_sessions',
       'sample_tombstones', 'ingest_batches', 'health_samples_staging']::regclass[]) as c`,
  );
  return row?.bytes ?? Number.NaN;
};

const queried = async ({ target, usage }: Service, bench: GrowthBench, athletes: number, days: number) => {
  const dice = random(bench.seed, "asked");
  const first = firstDateOf(days);
  const ask = async (): Promise<number> => {
    const from = dateOf(dayOf(first) + dice.whole(0, days - 1));
    const { athlete_id } = athlete(bench.seed, dice.whole(0, athletes - 1), first);
    const query = `metric=heart_rate&from=${from}&to=${from}&resolution=15m`;
    const began = performance.now();
    const headers = { authorization: `Bearer ${target.token}` };
    const answer = await fetch(`${target.url}/v1/athletes/${athlete_id}/samples?${query}`, { headers });
    if (answer.status !== 200) throw new Error(`${query}: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
    return performance.now() - began;
  };
  for (let n = 0; n < 5; n += 1) await ask();
  const cpu = usage().cpu_s;
  const took: number[] = [];
  for (let n = 0; n < bench.queries; n += 1) took.push(await ask());
  return { query_ms: quantile(took, 0.5), query_cpu_ms: (1000 * (usage().cpu_s - cpu)) / bench.queries };
};

const cellOf = async (service: Service, bench: GrowthBench, [athletes, days]: [number, number]): Promise<Cell> => {
  const { db, target, usage } = service;
  const began = performance.now();
  await forget(db);
  let samples = 0;
  const before = usage().cpu_s;
  await sendBodies(
    target,
    counted(bodies(bench, athletes, days), (n) => (samples += n)),
  );
  await service.settled();
  const cpu_s = usage().cpu_s - before;
  const [row] = await db.query<{ n: number }>(
    `select coalesce(sum(row_count), 0)::float8 as n from health_streams where level in ('day', 'month')`,
  );
  if (row?.n !== samples) throw new Error(`${samples} samples were sent, ${row?.n} are in Parquet`);
  const stored_bytes = await storedBytes(db);
  const idleFrom = usage().cpu_s;
  await sleep(REST_MS);
  const idle = (100_000 * (usage().cpu_s - idleFrom)) / REST_MS;
  const asked = await queried(service, bench, athletes, days);
  return { athletes, days, samples, cpu_s, stored_bytes, ...asked, idle, seconds: (performance.now() - began) / 1000 };
};

/** Least squares through the logarithms: 1 is proportional, 0 does not depend on it. */
export const slopeOf = (points: readonly (readonly [number, number])[]): number => {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (at: 0 | 1): number => logs.reduce((sum, point) => sum + point[at], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const over = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
};

const run = async (bench: GrowthBench, place: Place): Promise<GrowthFigures> => {
  await setUp(connect(readConfig(place.env), "bench"), () => undefined);
  const fits = ATHLETES.flatMap((athletes) => DAYS.map((days): [number, number] => [athletes, days])).filter(
    ([athletes, days]) => (athletes * days * A_DAY * bench.density) / 100 <= bench.most,
  );
  const cells: Cell[] = [];
  await inService(place, async (service) => {
    // The first cell once more before it counts: code is compiled, caches are filled.
    for (const [at, cell] of [...fits.slice(0, 1), ...fits].entries()) {
      bench.say(`${cell[0]} athletes × ${cell[1]} days`);
      const done = await cellOf(service, bench, cell);
      if (at > 0) cells.push(done);
    }
  });
  const slope = (of: (cell: Cell) => number): number => slopeOf(cells.map((cell) => [cell.samples, of(cell)]));
  const slopes = {
    cpu: slope(({ cpu_s }) => cpu_s),
    stored: slope(({ stored_bytes }) => stored_bytes),
    query: slope(({ query_ms }) => query_ms),
    idle: slopeOf(cells.map(({ athletes, idle }) => [athletes, Math.max(TICK, idle)])),
  };
  return { cells, slopes };
};

/** B7: what ingest, storage and a point query cost as athletes and days grow. */
export const benchGrowth = (bench: GrowthBench): Promise<GrowthFigures> => inPlace(bench, (place) => run(bench, place));
