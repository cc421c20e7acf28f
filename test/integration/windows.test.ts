import { afterAll, beforeEach, expect, test } from "vitest";
import type { Sample } from "../../src/domain/sample.ts";
import { isolated } from "../support/stack.ts";
import { clear, counters, finalState, openBench, quiesce } from "../support/windows/bench.ts";
import { HOUR, at, heart, id, night, steps } from "../support/windows/samples.ts";

const here = await isolated("windows");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));

const DAY = "2026-11-20";
const CLOSED = at("2026-11-21T03:00:01Z");
const synthetic = (sample: Sample, name: string): Sample => ({
  ...sample,
  sample_id: id(name),
  attributes: { ...sample.attributes, synthetic: true },
});

const metric = async (name: string, date = DAY) => {
  const [row] = await bench.db.query(
    `select value, locked, synced_value, is_final, pane from athlete_metrics where metric = $1 and date = $2`,
    [name, date],
  );
  return row;
};
const ids = (rows: readonly Sample[] | undefined): string[] => (rows ?? []).map((row) => row.sample_id).toSorted();

const closedDays = async (): Promise<string[]> => {
  const rows = await bench.db.query<{ local_date: string }>(
    `select local_date from windows where closed_at is not null order by local_date`,
  );
  return rows.map((row) => row.local_date);
};

test("an open day gets provisional metrics at once, and stays in staging", async () => {
  await bench.stage([steps("2026-11-20T09:00:00Z", 900)]);
  await bench.settle();
  expect(await metric("steps")).toEqual({
    value: 900,
    locked: false,
    synced_value: null,
    is_final: false,
    pane: "early",
  });
  const state = await finalState(bench);
  expect(state.staged).toHaveLength(1);
  expect(state.days).toEqual({});
});

test("early panes of a window are a minute apart", async () => {
  await bench.stage([steps("2026-11-20T09:00:00Z", 900)]);
  await bench.settle();
  await bench.stage([steps("2026-11-20T10:00:00Z", 100)]);
  bench.now += 59_000;
  expect(await bench.settle()).toBe(0);
  expect((await metric("steps"))?.["value"]).toBe(900);
  bench.now += 1_000;
  await bench.settle();
  expect((await metric("steps"))?.["value"]).toBe(1000);
  // A clock that was a day ahead has been set right.
  await bench.stage([steps("2026-11-20T11:00:00Z", 10)]);
  await bench.db.query(`update windows set fired_at = fired_at + interval '1 day'`);
  await bench.settle();
  expect((await metric("steps"))?.["value"]).toBe(1010);
});

test("a day closes once: rows move to one object, metrics become final, and another round does nothing", async () => {
  const rows = [...night(DAY), steps("2026-11-20T09:00:00Z", 900)];
  await bench.stage(rows);
  await bench.settle();
  bench.now = CLOSED;
  await bench.settle();
  const state = await finalState(bench);
  expect(state.staged).toEqual([]);
  expect(Object.keys(state.days)).toEqual([DAY]);
  expect(ids(state.days[DAY])).toEqual(ids(rows));
  expect(await metric("steps")).toMatchObject({ value: 900, is_final: true, pane: "on_time" });
  const [pointer] = await bench.db.query<{ object_key: string; stats: Record<string, unknown> }>(
    `select object_key, stats from health_streams`,
  );
  expect(pointer?.object_key).toMatch(
    /^health_streams\/athlete=a_anna\/month=2026-11\/2026-11-20\.g\d+\.[0-9a-f]{16}\.parquet$/,
  );
  expect(pointer?.stats).toMatchObject({ steps: { count: 1, sum: 900 }, heart_rate: { count: 24 } });
  expect(pointer?.stats["max_end"]).toBe(at("2026-11-20T09:10:00Z"));
  const before = await counters(bench);
  bench.now += 60_000;
  expect(await bench.settle()).toBe(0);
  expect(await counters(bench)).toEqual(before);
});

test("a day does not close before the log is applied past its close", async () => {
  await bench.stage([steps("2026-11-20T09:00:00Z", 900)]);
  bench.now = CLOSED;
  bench.applied = false;
  await bench.settle();
  expect(await closedDays()).toEqual([]);
  bench.applied = true;
  await bench.settle();
  expect(await closedDays()).toEqual([DAY]);
});

test("a late sample and a deletion in a closed day rewrite its object and correct its metrics", async () => {
  const [first, second] = [steps("2026-11-20T09:00:00Z", 900), steps("2026-11-20T10:00:00Z", 100)];
  await bench.stage([first, second]);
  bench.now = CLOSED;
  await bench.settle();
  const third = steps("2026-11-20T11:00:00Z", 7);
  await bench.stage([third]);
  await bench.delete([first.sample_id], "HKQuantityTypeIdentifierStepCount");
  await quiesce(bench);
  const state = await finalState(bench);
  expect(ids(state.days[DAY])).toEqual(ids([second, third]));
  expect(state.tombstones).toMatchObject([{ sample_id: first.sample_id, resolved: true }]);
  expect(state.waiting).toEqual([]);
  expect(await metric("steps")).toMatchObject({ value: 107, is_final: true, pane: "late" });
  const superseded = await bench.db.query(`select 1 from object_intents where reason = 'superseded'`);
  expect(superseded.length).toBeGreaterThan(0);
});

test("deleting a closed day's last row removes its pointer, its metric and both from the topics", async () => {
  const only = steps("2026-11-20T09:00:00Z", 900);
  await bench.stage([only]);
  bench.now = CLOSED;
  await bench.settle();
  await bench.delete([only.sample_id]);
  await quiesce(bench);
  const state = await finalState(bench);
  expect(state.days).toEqual({});
  expect(state.metrics).toEqual([]);
  expect(state.events).toEqual([]);
  const gone = await bench.db.query<{ topic: string; key: string; headers: Record<string, string> }>(
    `select topic, key, headers from outbox where value is null order by topic`,
  );
  expect(gone.map(({ topic, key }) => [topic, key])).toEqual([
    ["health.day-partitions.v1", `anna|${DAY}`],
    ["health.metrics.v1", `anna|${DAY}|steps|derived`],
  ]);
  expect(gone.map(({ headers }) => Object.keys(headers))).toEqual([["revision"], ["revision"]]);
});

test("an identical sample sent again into a closed day changes no object, generation, revision or event", async () => {
  const rows = night(DAY);
  await bench.stage(rows);
  bench.now = CLOSED;
  await bench.settle();
  const before = await counters(bench);
  await bench.stage(rows.slice(0, 5));
  bench.now += 60_000;
  expect(await bench.settle()).toBeGreaterThan(0);
  expect(await counters(bench)).toEqual(before);
  expect((await finalState(bench)).staged).toEqual([]);
});

test("a locked value survives early, on-time and late panes; the synced value follows beside it", async () => {
  await bench.stage([steps("2026-11-20T09:00:00Z", 900)]);
  await bench.settle();
  await bench.db.query(`update athlete_metrics set value = 5, locked = true, synced_value = 900`);
  bench.now = CLOSED;
  await bench.settle();
  expect(await metric("steps")).toMatchObject({ value: 5, locked: true, synced_value: 900, is_final: true });
  await bench.stage([steps("2026-11-20T10:00:00Z", 100)]);
  await quiesce(bench);
  expect(await metric("steps")).toMatchObject({ value: 5, locked: true, synced_value: 1000 });
  await bench.delete([id("steps 2026-11-20T09:00:00Z"), id("steps 2026-11-20T10:00:00Z")]);
  await quiesce(bench);
  expect(await metric("steps")).toMatchObject({ value: 5, locked: true, synced_value: null });
});

test("one id that came with two zones stands in one object only, wherever its copies were closed first", async () => {
  const instant = "2026-11-20T22:30:00Z";
  const winner = heart(instant, { name: "moved" });
  const loser = heart(instant, {
    name: "moved",
    tz: "Asia/Tokyo",
    local_date: "2026-11-21",
    received_at: winner.received_at + 1,
  });
  const neighbour = heart("2026-11-21T09:00:00Z");
  bench.now = at("2026-11-24T00:00:00Z");
  await bench.stage([loser, neighbour]);
  await quiesce(bench);
  expect(Object.keys((await finalState(bench)).days)).toEqual(["2026-11-21"]);
  await bench.stage([winner]);
  await quiesce(bench);
  const state = await finalState(bench);
  expect(ids(state.days[DAY])).toEqual([winner.sample_id]);
  expect(ids(state.days["2026-11-21"])).toEqual([neighbour.sample_id]);
  expect(state.waiting).toEqual([]);
});

test("a copy that wins from a later date takes its id out of the earlier day's object in the same transaction", async () => {
  const instant = "2026-11-20T22:30:00Z";
  const loser = heart(instant, { name: "moved" });
  const winner = { ...loser, tz: "Asia/Tokyo", local_date: "2026-11-21", received_at: loser.received_at - 1 };
  const neighbour = heart("2026-11-20T09:00:00Z");
  bench.now = at("2026-11-24T00:00:00Z");
  await bench.stage([loser, neighbour]);
  await quiesce(bench);
  await bench.stage([winner]);
  bench.now += 60_000;
  bench.onStep = (step) => {
    if (step === "pane.committed") throw new Error("seen after the first commit");
  };
  await expect(bench.settle()).rejects.toThrow("first commit");
  const state = await finalState(bench);
  expect(ids(state.days[DAY])).toEqual([neighbour.sample_id]);
  expect(ids(state.days["2026-11-21"])).toEqual([winner.sample_id]);
  expect(state.waiting).toContainEqual({ local_date: DAY });
  bench.onStep = () => undefined;
  await quiesce(bench);
  expect((await finalState(bench)).waiting).toEqual([]);
});

test("twins through two doors become one row, whichever was stored first", async () => {
  const uuid = steps("2026-11-20T09:00:00Z", 900);
  const twin = synthetic(uuid, "synthetic");
  bench.now = at("2026-11-24T00:00:00Z");
  const states = [];
  for (const order of [
    [twin, uuid],
    [uuid, twin],
  ]) {
    await clear(bench);
    bench.now = at("2026-11-24T00:00:00Z");
    for (const sample of order) {
      await bench.stage([sample]);
      await quiesce(bench);
    }
    states.push(await finalState(bench));
  }
  expect(states[0]?.tombstones).toMatchObject([{ sample_id: twin.sample_id, reason: "adopted" }]);
  expect(ids(states[0]?.days[DAY])).toEqual([uuid.sample_id]);
  expect(states[1]).toEqual(states[0]);
});

test("a uuid deleted in a closed day still keeps its twin out", async () => {
  const uuid = steps("2026-11-20T09:00:00Z", 900);
  bench.now = at("2026-11-24T00:00:00Z");
  await bench.stage([uuid]);
  await quiesce(bench);
  await bench.delete([uuid.sample_id]);
  await quiesce(bench);
  await bench.stage([synthetic(uuid, "synthetic")]);
  await quiesce(bench);
  const state = await finalState(bench);
  expect(state.days).toEqual({});
  expect(state.metrics).toEqual([]);
});

test("deletions are found in old closed days, unknown ids are searched for once", async () => {
  const days = Array.from({ length: 40 }, (_, n) =>
    steps(new Date(at("2026-09-01T09:00:00Z") + n * 24 * HOUR).toISOString(), 100),
  );
  await bench.stage(days, "backfill");
  await quiesce(bench);
  expect(await closedDays()).toHaveLength(41);
  const target = days[1] as Sample;
  await bench.delete([target.sample_id, id("never seen")]);
  await quiesce(bench);
  const state = await finalState(bench);
  expect(state.days["2026-09-02"]).toBeUndefined();
  expect(Object.keys(state.days)).toHaveLength(39);
  expect(state.tombstones).toMatchObject([{ resolved: true }, { resolved: true }]);
  const [unknown] = await bench.db.query(`select searched_to, twin_key from sample_tombstones where sample_id = $1`, [
    id("never seen"),
  ]);
  expect(unknown).toEqual({ searched_to: "2026-09-01", twin_key: null });
});

test("the provider's own total becomes a row beside the derived one", async () => {
  await bench.stage([steps("2026-11-20T09:00:00Z", 900)]);
  await bench.db.query(
    `insert into daily_totals values ('anna', $1, 'steps', 12034, 'count', 12034, 'count', now(), 'hash')`,
    [DAY],
  );
  await bench.settle();
  const rows = await bench.db.query(`select source, value from athlete_metrics where metric = 'steps' order by source`);
  expect(rows).toEqual([
    { source: "apple_health", value: 12034 },
    { source: "derived", value: 900 },
  ]);
});
