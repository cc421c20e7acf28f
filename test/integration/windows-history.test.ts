import { afterAll, beforeEach, expect, test } from "vitest";
import { addDays } from "../../src/domain/local-day.ts";
import { isolated } from "../support/stack.ts";
import { clear, counters, finalState, openBench, quiesce } from "../support/windows/bench.ts";
import { type Change, NIGHT, at, slept, variability } from "../support/windows/samples.ts";

const here = await isolated("windows-history");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));

const FIRST = "2026-01-01";
const day = (n: number): string => addDays(FIRST, n);
/** A different value on every day, so that no two baselines are the same. */
const calm = (n: number, change: Change = {}) => variability(`${day(n)}T11:00:00Z`, 50 + ((n * 7) % 13), change);
const night = (n: number) =>
  slept(new Date(at(`${day(n - 1)}T22:00:00Z`) + ((n * 7) % 13) * 300_000).toISOString(), NIGHT);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const revisions = async (): Promise<Map<string, number>> => {
  const rows = await bench.db.query<{ key: string; revision: number }>(
    `select date || ' ' || metric as key, revision from athlete_metrics`,
  );
  return new Map(rows.map((row) => [row.key, row.revision]));
};

/** Dates and metrics that were written since. */
const writtenSince = async (before: ReadonlyMap<string, number>): Promise<string[]> =>
  [...(await revisions())]
    .filter(([key, revision]) => before.get(key) !== revision)
    .map(([key]) => key)
    .toSorted();

/** How often a forward pass was committed while `work` ran. */
const passes = async (work: () => Promise<unknown>): Promise<number> => {
  let count = 0;
  bench.onStep = (step) => {
    count += step === "history.passed" ? 1 : 0;
  };
  await work();
  bench.onStep = () => undefined;
  return count;
};

const LATE = 40;

test("a late sample changes its day and exactly the days that read it, each told of once", async () => {
  bench.now = at("2026-06-01T12:00:00Z");
  await bench.stage(
    range(0, 109).map((n) => calm(n)),
    "backfill",
  );
  await quiesce(bench);
  const before = await revisions();
  const { events } = (await counters(bench)) ?? {};
  await bench.stage([
    calm(LATE, {
      name: "late",
      value: 90,
      start_at: at(`${day(LATE)}T15:00:00Z`),
      end_at: at(`${day(LATE)}T15:00:00Z`),
    }),
  ]);
  expect(await passes(() => quiesce(bench))).toBe(1);
  const changed = [`${day(LATE)} hrv`, ...range(LATE, LATE + 60).map((n) => `${day(n)} readiness`)];
  // Its seven-day mean, too, is within the reach of its baseline.
  expect(await writtenSince(before)).toEqual(changed.filter((key) => before.has(key)).toSorted());
  expect(changed.every((key) => before.has(key))).toBe(true);
  // The day's object is the one event more.
  expect(((await counters(bench))?.["events"] ?? 0) - (events ?? 0)).toBe(changed.length + 1);
});

test("a late correction of a night reaches the score of later nights, through their bedtime, and goes back with it", async () => {
  bench.now = at("2026-06-01T12:00:00Z");
  await bench.stage(
    range(0, 50).flatMap((n) => night(n)),
    "backfill",
  );
  await quiesce(bench);
  const undisturbed = await finalState(bench);
  const scores = () =>
    bench.db.query<{ date: string; revision: number }>(`select date, revision from sleep_sessions order by date`);
  const before = await scores();
  const early = slept(`${day(19)}T20:00:00Z`, [["core", 130]], { name: "early" });
  await bench.stage(early);
  await quiesce(bench);
  const changed = (await scores()).filter((row, n) => row.revision !== before[n]?.revision).map((row) => row.date);
  expect(changed[0]).toBe(day(20));
  expect(changed.every((date) => date >= day(20) && date <= day(20 + 21))).toBe(true);
  expect(changed.length).toBeGreaterThan(3);
  await bench.delete(early.map((row) => row.sample_id));
  await quiesce(bench);
  const { sessions, metrics, facts } = await finalState(bench);
  expect({ sessions, metrics, facts }).toEqual({
    sessions: undisturbed.sessions,
    metrics: undisturbed.metrics,
    facts: undisturbed.facts,
  });
});

test("a backfill of 400 days makes one pass, and whatever its order the same days", async () => {
  bench.now = at("2027-02-05T12:00:00Z");
  const all = range(0, 400).flatMap((n) => [calm(n), ...night(n)]);
  // Today comes first, and remembers something before history does.
  await bench.stage([calm(400)]);
  await bench.settle();
  const count = await passes(async () => {
    await bench.stage(all, "backfill");
    await quiesce(bench);
  });
  expect(count).toBe(1);
  const state = await finalState(bench);
  expect(state.facts).toHaveLength(401);
  expect(state.facts.every((row) => row["passed"] === true)).toBe(true);

  const before = await counters(bench);
  await bench.db.query(`update day_facts set passed_hash = null`);
  expect(await passes(() => quiesce(bench))).toBe(1);
  expect(await counters(bench)).toEqual(before);
});

test("days that come in any order end as days that came in order", async () => {
  bench.now = at("2026-06-01T12:00:00Z");
  const all = range(0, 40).flatMap((n) => [calm(n), ...night(n)]);
  await bench.stage(all, "backfill");
  await quiesce(bench);
  const inOrder = await finalState(bench);
  await clear(bench);
  bench.now = at("2026-06-01T12:00:00Z");
  for (const n of [30, 4, 5, 40, 17, 0]) {
    await bench.stage([calm(n), ...night(n)]);
    await quiesce(bench);
  }
  await bench.stage(all, "backfill");
  await quiesce(bench);
  expect(await finalState(bench)).toEqual(inOrder);
});

test("a day that has nothing to remember any more is forgotten once later days know", async () => {
  bench.now = at("2026-06-01T12:00:00Z");
  await bench.stage(range(0, 20).map((n) => calm(n)));
  await quiesce(bench);
  await bench.delete([calm(10).sample_id]);
  const before = await revisions();
  await quiesce(bench);
  expect(await bench.db.query(`select date from day_facts where date = $1`, [day(10)])).toEqual([]);
  expect((await writtenSince(before)).every((key) => key > day(10))).toBe(true);
  expect(await writtenSince(before)).not.toEqual([]);
});

test("live days at the end of the line need no pass; a correction passes on while today is still busy", async () => {
  const live = async (n: number): Promise<void> => {
    bench.now = at(`${day(n)}T12:00:00Z`);
    await bench.stage([calm(n), ...night(n)]);
    await bench.settle();
  };
  expect(await passes(() => live(0))).toBe(0);
  await live(1);
  await live(2);
  await bench.stage([calm(2, { name: "busy" }), calm(0, { name: "late", value: 80 })]);
  bench.now += 3_000;
  expect(await passes(() => bench.settle())).toBe(1);
  const busy = await bench.db.query(`select local_date from windows where dirty > fired and local_date = $1`, [day(2)]);
  expect(busy).toHaveLength(1);
  expect(await bench.db.query(`select 1 from day_facts where passed_hash is distinct from hash`)).toEqual([]);
});
