import { afterAll, beforeEach, expect, test } from "vitest";
import { DuckDBInstance } from "@duckdb/node-api";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDayObjects } from "../../src/windows/day-objects.ts";
import { ROLL_STEPS, rollMonths } from "../../src/windows/roll.ts";
import { sweep } from "../../src/windows/sweeper.ts";
import { isolated } from "../support/stack.ts";
import { clear, finalState, openBench, pointedKeys, storedKeys } from "../support/windows/bench.ts";
import { HOUR, heart, id, steps } from "../support/windows/samples.ts";

const here = await isolated("windows-months");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));

const DAY = 24 * HOUR;
const dayObjects = createDayObjects(bench.deps.objects, bench.deps.parquet);
const roll = () => rollMonths({ ...bench.deps, dayObjects }, [0]);
const september = () => [
  heart("2026-09-03T08:00:00Z"),
  heart("2026-09-03T20:00:00Z", { value: 80 }),
  steps("2026-09-04T09:00:00Z", 900),
  heart("2026-09-20T08:00:00Z", { value: 70 }),
];
const pointers = () =>
  bench.db.query<{ level: string; period_start: string; period_end: string; row_count: number; footer: Buffer | null }>(
    `select level, period_start, period_end, row_count, footer, object_key from health_streams order by period_start`,
  );
const shape = async () => (await pointers()).map((p) => [p.level, p.period_start, p.period_end, p.row_count]);

/** September closed in October; a worker looks in November. */
const closed = async (): Promise<void> => {
  bench.now = Date.parse("2026-10-10T12:00:00Z");
  await bench.stage(september());
  bench.now += 10_000;
  await bench.settle();
  bench.now = Date.parse("2026-11-20T12:00:00Z");
};

/** The final state without how its rows are cut into objects. */
const content = async () => {
  const { days, events, ...rest } = await finalState(bench);
  const rows = Object.values(days).flat();
  return {
    ...rest,
    rows: rows.toSorted((a, b) => (a.sample_id < b.sample_id ? -1 : 1)),
    events: events.filter(({ topic }) => topic !== "health.day-partitions.v1"),
  };
};

const rolled = ["month", "2026-09-01", "2026-09-30", 4];

test("a month that is over and quiet becomes one object; what it was made of is handed to the sweeper", async () => {
  bench.now = Date.parse("2026-10-10T12:00:00Z");
  await bench.stage([...september(), heart("2026-10-10T08:00:00Z")]);
  bench.now += DAY;
  await bench.settle();
  const before = await content();
  bench.now += 3 * DAY;
  expect(await roll()).toBe(0);
  bench.now += 3 * DAY;
  expect(await roll()).toBe(1);
  expect(await roll()).toBe(0);
  expect(await shape()).toEqual([rolled, ["day", "2026-10-10", "2026-10-10", 1]]);
  expect(await content()).toEqual(before);
  expect(before.rows).toHaveLength(5);
  expect(await bench.db.query(`select 1 from object_intents where reason = 'superseded'`)).toHaveLength(3);
  expect(await bench.db.query(`select 1 from object_intents where reason = 'writing'`)).toHaveLength(0);
});

test("downstream hears of the month under its first day, and that its other days are gone", async () => {
  await closed();
  await bench.db.query(`delete from outbox`);
  await roll();
  const told = await bench.db.query<{ key: string; level: string | null; ends: number | null }>(
    `select key, value->>'level' as level, (value->>'period_end')::int as ends from outbox order by key`,
  );
  expect(told).toEqual([
    { key: "anna|2026-09-01", level: "month", ends: Date.parse("2026-09-30") / DAY },
    { key: "anna|2026-09-03", level: null, ends: null },
    { key: "anna|2026-09-04", level: null, ends: null },
    { key: "anna|2026-09-20", level: null, ends: null },
  ]);
});

test("late rows, a new day and a deletion rewrite the month, gathered into one object; nothing else changes", async () => {
  await closed();
  const plain = async () => {
    await bench.stage([heart("2026-09-05T08:00:00Z"), heart("2026-09-20T09:00:00Z"), heart("2026-09-21T09:00:00Z")]);
    await bench.delete([id("heart_rate 2026-09-03T20:00:00Z")]);
    bench.now += 70_000;
    await bench.settle();
    bench.now += 70_000;
    await bench.settle();
  };
  await plain();
  const days = await content();
  await clear(bench);
  await closed();
  await roll();
  const [{ n: before } = { n: 0 }] = await bench.db.query<{ n: number }>(
    `select last_value as n from object_generations`,
  );
  await plain();
  expect(await shape()).toEqual([["month", "2026-09-01", "2026-09-30", 6]]);
  const [{ n: after } = { n: 0 }] = await bench.db.query<{ n: number }>(
    `select last_value as n from object_generations`,
  );
  expect(after - before).toBeLessThanOrEqual(2);
  expect(await content()).toEqual(days);
});

test("a month whose rows are all deleted leaves nothing behind", async () => {
  await closed();
  await roll();
  await bench.delete(september().map((sample) => sample.sample_id));
  for (let n = 0; n < 3; n += 1) {
    bench.now += 70_000;
    await bench.settle();
  }
  expect(await shape()).toEqual([]);
});

test.each(ROLL_STEPS)("killed at %s, the next try ends the same, and no object is left or missing", async (step) => {
  await closed();
  let killed = false;
  bench.onStep = (reached) => {
    if (reached !== step || killed) return;
    killed = true;
    throw new Error("killed");
  };
  await roll().catch(() => undefined);
  bench.onStep = () => undefined;
  await roll();
  expect(killed).toBe(true);
  expect(await shape()).toEqual([rolled]);
  bench.now += 30 * DAY;
  await sweep(bench.deps);
  await sweep(bench.deps);
  expect(await storedKeys(bench)).toEqual(await pointedKeys(bench));
});

test("another reader opens a month", async () => {
  await closed();
  await roll();
  const [pointer] = await bench.db.query<{ object_key: string }>(`select object_key from health_streams`);
  const file = join(mkdtempSync(join(tmpdir(), "health-sync-month-")), "month.parquet");
  writeFileSync(file, await bench.objects.get(pointer?.object_key ?? ""));
  const duck = await (await DuckDBInstance.create()).connect();
  const found = await duck.runAndReadAll(
    `select metric, count(*)::int as n, sum(value)::double as total from '${file}' group by metric order by metric`,
  );
  expect(found.getRowObjects()).toEqual([
    { metric: "heart_rate", n: 3, total: 210 },
    { metric: "steps", n: 1, total: 900 },
  ]);
});
