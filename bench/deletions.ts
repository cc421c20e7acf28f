import { performance } from "node:perf_hooks";
import type { Telemetry } from "../src/flow/ports.ts";
import { parquetFormat } from "../src/io/parquet.ts";
import { resolveDeletions } from "../src/windows/deletions.ts";
import { type Spread, spreadOf } from "./figures.ts";
import { random } from "./generator/random.ts";
import { BY_DAY, BY_MONTH, type Lake, counted, inLake } from "./lake.ts";
import type { Say } from "./place.ts";

export type DeletionsBench = { rounds: number; days: number; seed: number; stack: string | undefined; say: Say };
export type DeletionsRow = { what: string; ids: number; found: number; ms: Spread; cpu_ms: Spread } & Asked;
type Asked = { gets: number; mib: number };

const silent: Telemetry = { info() {}, warn() {}, count() {}, gauge() {}, time() {} };
const COUNTS = [1, 50, 1000];

type Case = { athlete: string; what: string; ids: string[]; type: string | null };

/** Ids and their types spread over the whole history, by a seed. */
const storedIds = async (lake: Lake, seed: number): Promise<string[]> => {
  const keys = await lake.db.query<{ object_key: string }>(
    `select object_key from health_streams where athlete_id = $1 order by period_start`,
    [BY_MONTH],
  );
  const all: string[] = [];
  for (const { object_key } of keys) all.push(...parquetFormat.decodeIds(await lake.store.get(object_key)));
  return random(seed, "deleted").shuffled(all).slice(0, 1000);
};

const casesOf = (known: readonly string[], seed: number): Case[] => {
  const dice = random(seed, "absent");
  const absent = Array.from({ length: 50 }, () => dice.uuid());
  return [BY_DAY, BY_MONTH].flatMap((athlete) => [
    ...COUNTS.map((n) => ({ athlete, what: "stored", ids: known.slice(0, n), type: null })),
    { athlete, what: "of no sample", ids: absent, type: null },
    { athlete, what: "of no sample, with a type", ids: absent, type: "HKQuantityTypeIdentifierBodyMass" },
  ]);
};

const once = async (lake: Lake, { athlete, ids, type }: Case) => {
  await lake.db.query(`delete from sample_tombstones`);
  await lake.db.query(`delete from windows`);
  await lake.db.query(
    `insert into sample_tombstones (athlete_id, sample_id, reason, type, deleted_at)
     select $1, unnest($2::uuid[]), 'deleted', $3, now()`,
    [athlete, ids, type],
  );
  const seen = counted(lake.store);
  const { connections, db } = lake;
  const rules = { grace: 0, sweep_grace: 1, early_every: 0, late_quiet: 0, backfill_quiet: 0, backlog_cap: 1 };
  const deps = {
    db,
    objects: seen.store,
    parquet: parquetFormat,
    clock: connections.clock,
    telemetry: silent,
    onStep: () => undefined,
    topic: connections.topics,
    config: { ...rules, month_quiet: 0, month_late_quiet: 0 },
  };
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  await resolveDeletions(deps, athlete, 0);
  const [ms, used] = [performance.now() - began, process.cpuUsage(cpu)];
  const [row] = await db.query<{ open: number; found: number }>(
    `select count(*) filter (where resolved_at is null) as open, count(twin_key) as found from sample_tombstones`,
  );
  if (row?.open !== 0) throw new Error(`${row?.open} deletions are still open`);
  return { ms, cpu_ms: (used.user + used.system) / 1000, found: row.found, gets: seen.gets, mib: seen.bytes / 2 ** 20 };
};

/** Deletions by id alone over two years: the search itself, cold, without the panes that then rewrite the days. */
export const benchDeletions = (bench: DeletionsBench): Promise<DeletionsRow[]> =>
  inLake({ ...bench, first: "2024-01-01" }, async (lake) => {
    const cases = casesOf(await storedIds(lake, bench.seed), bench.seed);
    const runs = cases.map(() => [] as Awaited<ReturnType<typeof once>>[]);
    for (let round = 0; round <= bench.rounds; round += 1) {
      bench.say(`round ${round} of ${bench.rounds}`);
      for (const [at, one] of cases.entries()) {
        const done = await once(lake, one);
        if (round > 0) runs[at]?.push(done);
      }
    }
    return cases.map(({ athlete, what, ids }, at) => {
      const done = runs[at] ?? [];
      const [last] = done;
      return {
        what: `${athlete}: ${what}`,
        ids: ids.length,
        found: last?.found ?? 0,
        ms: spreadOf(done.map(({ ms }) => ms)),
        cpu_ms: spreadOf(done.map(({ cpu_ms }) => cpu_ms)),
        gets: last?.gets ?? 0,
        mib: last?.mib ?? 0,
      };
    });
  });
