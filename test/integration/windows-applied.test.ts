import { afterAll, beforeEach, expect, test } from "vitest";
import type { LogInfo } from "../../src/flow/ports.ts";
import { createAppliedPast } from "../../src/windows/applied.ts";
import { isolated } from "../support/stack.ts";
import { clear, openBench } from "../support/windows/bench.ts";

const here = await isolated("windows-applied");
const bench = openBench(here);
afterAll(() => bench.close());

/** What the log answers, as plain data; every answer is counted. */
let ends: { low: number; high: number };
let asked: number;
const log: LogInfo = {
  bounds: () => {
    asked += 1;
    return Promise.resolve(new Map([[3, ends]]));
  },
  clusterId: () => Promise.resolve("cluster"),
};
const MOMENT = Date.parse("2026-11-21T03:00:00Z");
const appliedPast = () =>
  createAppliedPast({ db: bench.db, log, clock: { now: () => bench.now }, topics: ["samples"], group: "staging" });

const place = (position: number, last_timestamp: number | null) =>
  bench.db.query(
    `insert into consumer_offsets (group_id, topic, topic_partition, position, last_timestamp)
     values ('staging', 'samples', 3, $1, $2)`,
    [position, last_timestamp === null ? null : new Date(last_timestamp)],
  );

beforeEach(async () => {
  await clear(bench);
  bench.now = MOMENT + 10;
  ends = { low: 0, high: 7 };
  asked = 0;
});

test("a record applied at the moment or later settles it without asking the log", async () => {
  await place(5, MOMENT);
  expect(await appliedPast()(3, MOMENT)).toBe(true);
  expect(asked).toBe(0);
});

test("a lagging topic partition holds its days open", async () => {
  await place(5, MOMENT - 1);
  expect(await appliedPast()(3, MOMENT)).toBe(false);
});

test("an idle topic partition holds no day open", async () => {
  await place(7, MOMENT - 1);
  expect(await appliedPast()(3, MOMENT)).toBe(true);
});

test("a topic partition that was never read holds its days open, unless it is empty", async () => {
  expect(await appliedPast()(3, MOMENT)).toBe(false);
  ends = { low: 0, high: 0 };
  expect(await appliedPast()(3, MOMENT)).toBe(true);
});

test("an end that was read before the moment is no proof: the log is asked again", async () => {
  await place(7, MOMENT - 5000);
  const past = appliedPast();
  bench.now = MOMENT - 100;
  expect(await past(3, MOMENT - 200)).toBe(true);
  ends = { low: 0, high: 8 };
  bench.now = MOMENT;
  expect(await past(3, MOMENT)).toBe(false);
  expect(asked).toBe(2);
});

test("within a second the end is asked for once", async () => {
  await place(7, MOMENT - 1);
  const past = appliedPast();
  await past(3, MOMENT);
  await past(3, MOMENT);
  expect(asked).toBe(1);
});
