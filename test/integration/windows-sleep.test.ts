import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { SessionRow } from "../../src/windows/facts.ts";
import { isolated } from "../support/stack.ts";
import { clear, counters, openBench, pointedKeys, quiesce, storedKeys, streams } from "../support/windows/bench.ts";
import { HOUR, NIGHT, at, heart, segment, slept } from "../support/windows/samples.ts";

const here = await isolated("windows-sleep");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));

const DAY = "2026-11-20";
/** In bed from 22:50, asleep 23:00 to 07:10, Amsterdam winter time. */
const BED = segment("2026-11-19T21:50:00Z", "in_bed", 520, { name: "bed" });
const night = () => [...slept("2026-11-19T22:00:00Z", NIGHT), BED];

type Stored = SessionRow & { revision: number };
const sessions = async (): Promise<Stored[]> =>
  bench.db.query<Stored>(`select * from sleep_sessions order by start_at, session_id`);
const session = async (): Promise<Stored> => (await sessions())[0] as Stored;
const events = async (): Promise<{ key: string; value: Record<string, unknown> | null }[]> =>
  bench.db.query(`select key, value from outbox where topic = 'health.sleep-sessions.v1' order by id`);
const metric = async (name: string, date = DAY) =>
  (
    await bench.db.query<{ value: number; is_final: boolean; locked: boolean; synced_value: number | null }>(
      `select value, is_final, locked, synced_value from athlete_metrics where date = $1 and metric = $2`,
      [date, name],
    )
  )[0];

/** What DuckDB, which wrote nothing of it, finds in an object. */
const secondReader = async (key: string): Promise<unknown[]> => {
  const folder = mkdtempSync(join(tmpdir(), "stream-"));
  const duck = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    writeFileSync(join(folder, "one.parquet"), await bench.objects.get(key));
    const answer = await duck.runAndReadAll(
      `select session_id, channel, count(*) as rows, sum(value) as total
       from read_parquet('${folder}/one.parquet') group by all order by all`,
    );
    return answer.getRowObjectsJson();
  } finally {
    duck.closeSync();
    rmSync(folder, { recursive: true });
  }
};

const morning = async (): Promise<void> => {
  bench.now = at("2026-11-20T07:00:00Z");
  await bench.stage(night());
  await bench.settle();
};
const close = async (): Promise<void> => {
  bench.now = at("2026-11-21T12:00:00Z");
  await quiesce(bench);
};

test("a night is there with the first pane, provisional and without a stream; with its day it is final and has one", async () => {
  await morning();
  const first = await session();
  expect(first).toMatchObject({ date: DAY, kind: "main", is_main_sleep: true, is_final: false });
  expect([first.time_in_bed_s, first.total_sleep_s, first.awake_s]).toEqual([520 * 60, 480 * 60, 600]);
  expect(await streams(bench)).toEqual({});
  expect(await metric("sleep_duration")).toMatchObject({ value: 480 * 60, is_final: false });
  expect(first.sleep_score).toBeGreaterThan(50);
  expect(await metric("sleep_score")).toMatchObject({ value: first.sleep_score, is_final: false });

  await close();
  const last = await session();
  expect(last).toMatchObject({ session_id: first.session_id, is_final: true });
  expect(last.revision).toBeGreaterThan(first.revision);
  expect((await events()).map(({ key, value }) => [key, value?.["is_final"]])).toEqual([
    [`anna|${first.session_id}`, false],
    [`anna|${first.session_id}`, true],
  ]);
  const rows = (await streams(bench))[first.session_id];
  expect(rows?.map((row) => [row.channel, row.value])).toEqual([3, 4, 2, 5, 3].map((value) => ["sleep_stage", value]));
  expect((await storedKeys(bench)).some((key) => key.startsWith("sleep_streams/athlete=a_anna/month=2026-11/"))).toBe(
    true,
  );
});

test("another round changes nothing: no row, revision, object or event", async () => {
  await morning();
  await close();
  const before = await counters(bench);
  await bench.stage([heart("2026-11-20T11:00:00Z")]);
  await quiesce(bench);
  expect(await events()).toHaveLength(2);
  await bench.db.query(`update windows set dirty = dirty + 1`);
  const middle = await counters(bench);
  await quiesce(bench);
  expect(await counters(bench)).toEqual(middle);
  expect(middle).not.toEqual(before);
});

test("a stage deleted and put in again otherwise gives the corrected night under the same id, and a new stream", async () => {
  await morning();
  await close();
  const before = await session();
  const deep = night().find(({ value }) => value === 4);
  await bench.delete([deep?.sample_id ?? ""]);
  await bench.stage([segment("2026-11-20T00:00:00Z", "core", 90, { name: "corrected" })]);
  await quiesce(bench);
  const after = await session();
  expect(after).toMatchObject({ session_id: before.session_id, deep_s: 0, light_s: 370 * 60, is_final: true });
  expect(after.sleep_score).toBeLessThan(before.sleep_score ?? 0);
  expect((await streams(bench))[after.session_id]?.map((row) => row.value)).toEqual([3, 2, 5, 3]);
  expect(await bench.db.query(`select generation from sleep_streams`)).toHaveLength(1);
  expect((await storedKeys(bench)).length).toBe((await pointedKeys(bench)).length + 2);
});

test("a session that is gone is a tombstone, and its stream goes to the sweeper", async () => {
  await morning();
  await close();
  const { session_id, revision } = await session();
  const [pointer] = await bench.db.query<{ object_key: string }>(`select object_key from sleep_streams`);
  await bench.delete(night().map((row) => row.sample_id));
  await quiesce(bench);
  expect(await sessions()).toEqual([]);
  expect(await streams(bench)).toEqual({});
  const [gone] = await bench.db.query<{ key: string; value: unknown; headers: { revision: string } }>(
    `select key, value, headers from outbox where topic = 'health.sleep-sessions.v1' order by id desc limit 1`,
  );
  expect(gone).toMatchObject({ key: `anna|${session_id}`, value: null });
  expect(Number(gone?.headers.revision)).toBeGreaterThan(revision);
  expect(await metric("sleep_duration")).toBeUndefined();
  const intents = await bench.db.query(`select reason from object_intents where object_key = $1`, [
    pointer?.object_key,
  ]);
  expect(intents).toEqual([{ reason: "superseded" }]);
});

const EVENING = slept("2026-11-19T17:00:00Z", [
  ["core", 200],
  ["rem", 40],
]);
const ON = slept("2026-11-19T21:00:00Z", [["deep", 180]]);

test("a night that goes on past midnight after all moves to the new date without a tombstone", async () => {
  bench.now = at("2026-11-25T12:00:00Z");
  await bench.stage(EVENING);
  await quiesce(bench);
  const before = await session();
  expect(before).toMatchObject({ date: "2026-11-19" });
  await bench.stage(ON);
  await quiesce(bench);
  expect(await sessions()).toMatchObject([{ session_id: before.session_id, date: DAY, total_sleep_s: 420 * 60 }]);
  expect((await events()).map(({ value }) => value !== null)).toEqual([true, true]);
  expect(await metric("sleep_duration", "2026-11-19")).toBeUndefined();
  expect(await metric("sleep_duration")).toMatchObject({ value: 420 * 60 });
  expect(await bench.db.query(`select 1 from sleep_streams`)).toHaveLength(1);
});

test("a night that moves to a day that is still open leaves its stream behind, which told of the evening alone", async () => {
  bench.now = at("2026-11-20T12:00:00Z");
  await bench.stage(EVENING);
  await quiesce(bench);
  const { session_id } = await session();
  expect(Object.keys(await streams(bench))).toEqual([session_id]);
  await bench.stage(ON);
  await quiesce(bench);
  expect(await sessions()).toMatchObject([{ session_id, date: DAY, is_final: false, total_sleep_s: 420 * 60 }]);
  expect(await streams(bench)).toEqual({});
  await close();
  expect(await session()).toMatchObject({ session_id, date: DAY, is_final: true });
  expect((await streams(bench))[session_id]).toHaveLength(3);
});

test.each([
  ["old", "2026-11-19", DAY],
  ["new", DAY, "2026-11-19"],
])("a night moves without a tombstone where its %s date fires first", async (_, first, second) => {
  bench.now = at("2026-11-25T12:00:00Z");
  await bench.stage(EVENING);
  await quiesce(bench);
  const { session_id } = await session();
  await bench.stage(ON);
  await bench.db.query(`update windows set fired = dirty where local_date <> $1`, [first]);
  await quiesce(bench);
  await bench.db.query(`update windows set dirty = dirty + 1 where local_date = $1`, [second]);
  await quiesce(bench);
  expect(await sessions()).toMatchObject([{ session_id, date: DAY }]);
  expect((await events()).every(({ value }) => value !== null)).toBe(true);
  const [[id, rows] = ["", []]] = Object.entries(await streams(bench));
  expect([id, rows.length]).toEqual([session_id, 3]);
});

test("a locked sleep score survives a corrected night; what the sync would have written stands beside it", async () => {
  await morning();
  await close();
  await bench.db.query(
    `update athlete_metrics set locked = true, value = 12, synced_value = value where metric = 'sleep_score'`,
  );
  await bench.delete([night()[4]?.sample_id ?? ""]);
  await quiesce(bench);
  const { sleep_score } = await session();
  expect(await metric("sleep_score")).toMatchObject({ value: 12, locked: true, synced_value: sleep_score });
});

test("heart rates that come days later reach the night's vitals and its stream, told of once", async () => {
  await morning();
  await close();
  const before = await session();
  expect(before.avg_hr).toBeNull();
  const [old] = await bench.db.query<{ generation: number }>(`select generation from sleep_streams`);
  // One before midnight, in the day before: it is an input of the night all the same.
  await bench.stage([heart("2026-11-19T22:30:00Z", { value: 52 }), heart("2026-11-20T02:00:00Z", { value: 48 })]);
  await quiesce(bench);
  expect(await session()).toMatchObject({ session_id: before.session_id, avg_hr: 50, min_hr: 48 });
  const [now] = await bench.db.query<{ generation: number; channels: string[]; object_key: string }>(
    `select generation, channels, object_key from sleep_streams`,
  );
  expect(now?.generation).toBeGreaterThan(old?.generation ?? Infinity);
  expect(now?.channels).toEqual(["heart_rate", "sleep_stage"]);
  expect(await secondReader(now?.object_key ?? "")).toEqual([
    { session_id: before.session_id, channel: "heart_rate", rows: "2", total: 100 },
    { session_id: before.session_id, channel: "sleep_stage", rows: "5", total: 17 },
  ]);
  expect(await events()).toHaveLength(3);
});

test.each([
  ["2026-03-29", "2026-03-28T22:00:00Z"],
  ["2026-10-25", "2026-10-24T21:00:00Z"],
])("a night over the change of clocks on %s is one night of its real length, in one stream", async (date, start) => {
  await bench.stage([...slept(start, NIGHT), heart(new Date(at(start) + 3 * HOUR).toISOString())]);
  await quiesce(bench);
  expect(await sessions()).toMatchObject([{ date, total_sleep_s: 480 * 60, kind: "main", is_final: true }]);
  const [rows] = Object.values(await streams(bench));
  expect(rows?.map((row) => row.channel)).toEqual(["heart_rate", ...Array.from({ length: 5 }, () => "sleep_stage")]);
});

test("sleep that goes on for days without an hour's break is read to its end, from objects and staging alike", async () => {
  bench.now = at("2026-11-25T12:00:00Z");
  // Three days of a band that says asleep whenever it lies on the table.
  const hours = Array.from({ length: 72 }, (_, n) =>
    segment(new Date(at("2026-11-17T08:00:00Z") + n * HOUR).toISOString(), "asleep", 60),
  );
  await bench.stage(hours.filter((_, n) => n % 2 === 0));
  await quiesce(bench);
  await bench.stage(hours.filter((_, n) => n % 2 === 1));
  await quiesce(bench);
  expect(await sessions()).toMatchObject([{ date: DAY, total_sleep_s: 72 * 3600 }]);
});
