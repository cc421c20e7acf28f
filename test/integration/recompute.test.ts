import { afterAll, beforeEach, expect, test } from "vitest";
import { interpret } from "../../src/domain/interpret.ts";
import type { Sample } from "../../src/domain/sample.ts";
import { type Selection, markAthlete, selectedDays, waitForRecompute } from "../../src/ops/recompute.ts";
import { sent, uuid } from "../domain/make.ts";
import { isolated } from "../support/stack.ts";
import { clear, finalState, openBench, quiesce } from "../support/windows/bench.ts";
import { at } from "../support/windows/samples.ts";

const bench = openBench(await isolated("recompute"));
afterAll(() => bench.close());
beforeEach(() => clear(bench));

const MASS = "HKQuantityTypeIdentifierBodyMass";
const EVERYTHING: Selection = { athletes: null, from: null, to: null, rule: null };

/** A weight in pounds as staging makes it, or as a wrong rule did that took pounds for kilograms. */
const weight = (date: string, pounds: number, wrong = false): Sample => {
  const start_at = at(`${date}T08:00:00Z`);
  const input = sent({
    athlete_id: "anna",
    sample_id: uuid(Number(date.replaceAll("-", ""))),
    type: MASS,
    unit: "lb",
    value: pounds,
    start_at,
    end_at: start_at,
    time_zone: "UTC",
    received_at: start_at + 1000,
  });
  const read = interpret(input);
  if (read.kind !== "ok") throw new Error(read.kind);
  return wrong ? { ...read.value, value: pounds } : read.value;
};

const recompute = async (selection: Selection = EVERYTHING): Promise<number> => {
  const deps = { db: bench.db, clock: { now: () => bench.now } };
  let marked = 0;
  for (const { athlete_id } of await selectedDays(bench.db, selection))
    marked += await markAthlete(deps, athlete_id, selection, { rate: null });
  await quiesce(bench);
  return marked;
};

const weights = async (): Promise<Record<string, number>> => {
  const rows = await bench.db.query<{ date: string; value: number }>(
    `select date, value from athlete_metrics where metric = 'weight' order by date`,
  );
  return Object.fromEntries(rows.map(({ date, value }) => [date, Math.round(value * 10) / 10]));
};

const settled = async (...samples: Sample[]): Promise<void> => {
  await bench.stage(samples);
  bench.now = at("2026-11-23T12:00:00Z");
  await quiesce(bench);
};

test("where nothing is otherwise than stored a recompute changes no row, object or event", async () => {
  await settled(weight("2026-11-18", 160), weight("2026-11-19", 161));
  await bench.db.query("truncate outbox");
  const before = await finalState(bench);
  const [numbers] = await bench.db.query("select last_value from revisions");
  expect(await recompute()).toBe(2);
  expect(await finalState(bench)).toEqual(before);
  expect(await bench.db.query("select last_value from revisions")).toEqual([numbers]);
});

test("samples that an earlier rule read wrongly are read again as they were sent: object, metric and event follow", async () => {
  await settled(weight("2026-11-18", 160, true), weight("2026-11-19", 161));
  expect(await weights()).toEqual({ "2026-11-18": 160, "2026-11-19": 73 });
  await recompute();
  expect(await weights()).toEqual({ "2026-11-18": 72.6, "2026-11-19": 73 });
  const wrong = await finalState(bench);
  expect(Object.values(wrong.days).flatMap((rows) => rows.map(({ value }) => Math.round(value)))).toEqual([73, 73]);
  const events = wrong.events.filter(({ key }) => key.includes("2026-11-18|weight"));
  expect(events).toHaveLength(1);

  await clear(bench);
  await settled(weight("2026-11-18", 160), weight("2026-11-19", 161));
  expect((await finalState(bench)).days).toEqual(wrong.days);
  expect(await weights()).toEqual({ "2026-11-18": 72.6, "2026-11-19": 73 });
});

test("an open day is read again by every early pane, and written right when it closes", async () => {
  await bench.stage([weight("2026-11-20", 160, true)]);
  await quiesce(bench);
  expect(await weights()).toEqual({ "2026-11-20": 160 });
  await recompute();
  expect(await weights()).toEqual({ "2026-11-20": 72.6 });
  await bench.stage([{ ...weight("2026-11-20", 150), sample_id: uuid(7), start_at: at("2026-11-20T06:00:00Z") }]);
  await quiesce(bench);
  expect(await weights()).toEqual({ "2026-11-20": 72.6 });
  bench.now = at("2026-11-21T12:00:00Z");
  await quiesce(bench);
  expect(await weights()).toEqual({ "2026-11-20": 72.6 });
  const { days } = await finalState(bench);
  expect(days["2026-11-20"]?.map(({ value }) => Math.round(value))).toEqual([68, 73]);
});

test("a selection takes its dates, athletes and the days that a rule has to do with", async () => {
  const walk = sent({
    athlete_id: "anna",
    type: "HKQuantityTypeIdentifierStepCount",
    unit: "count",
    sample_id: uuid(9),
    start_at: at("2026-11-17T08:00:00Z"),
    end_at: at("2026-11-17T08:10:00Z"),
    value: 500,
    time_zone: "UTC",
    received_at: at("2026-11-17T09:00:00Z"),
  });
  const read = interpret(walk);
  await settled(
    ...(read.kind === "ok" ? [read.value] : []),
    ...["2026-11-13", "2026-11-14"].map((date) => weight(date, 160)),
  );
  const days = async (over: Partial<Selection>): Promise<number> =>
    (await selectedDays(bench.db, { ...EVERYTHING, ...over })).reduce((sum, one) => sum + one.days, 0);
  const all = await days({});
  expect(await days({ from: "2026-11-14", to: "2026-11-14" })).toBe(1);
  expect(await days({ athletes: ["ben"] })).toBe(0);
  expect(await days({ athletes: ["anna", "ben"] })).toBe(all);
  expect(await days({ rule: "steps_merge", from: "2026-11-17", to: "2026-11-17" })).toBe(1);
  expect(await days({ rule: "steps_merge/1", to: "2026-11-14" })).toBe(0);
  expect(await days({ rule: "day_latest", to: "2026-11-14" })).toBe(2);
  expect(await recompute({ ...EVERYTHING, rule: "steps_merge" })).toBeLessThan(all);
});

test("waiting ends when days, later days and events are through, and says what is left when the time is up", async () => {
  await settled(weight("2026-11-18", 160));
  const clock = { now: () => Date.now() };
  const deps = { db: bench.db, clock };
  await bench.db.query("truncate outbox");
  await waitForRecompute(deps, EVERYTHING, { timeout: 0 });
  await markAthlete(deps, "anna", EVERYTHING, { rate: null });
  const told: string[] = [];
  const waiting = waitForRecompute(deps, EVERYTHING, { timeout: 0, onProgress: (text) => told.push(text) });
  await expect(waiting).rejects.toThrow(/1 days to fire.*Is a worker running/);
  expect(told).toHaveLength(1);
  await quiesce(bench);
  await bench.db.query("truncate outbox");
  await waitForRecompute(deps, EVERYTHING, { timeout: 0 });
});

test("a signal stops between two transactions; what is marked by then fires", async () => {
  await settled(weight("2026-11-18", 160), weight("2026-11-19", 161));
  const deps = { db: bench.db, clock: { now: () => bench.now } };
  expect(await markAthlete(deps, "anna", EVERYTHING, { rate: null, signal: AbortSignal.abort() })).toBe(0);
  expect(await markAthlete(deps, "anna", EVERYTHING, { rate: 1000 })).toBe(2);
});
