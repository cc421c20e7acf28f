import { expect, test } from "vitest";
import type { Lane } from "../../src/flow/lanes.ts";
import { LIMITS, LOOK_MS, excuse, stalled } from "../../src/flow/watchdog.ts";
import { at } from "../support/flow/memory-log.ts";

const lane = (over: Partial<Lane> = {}): Lane => ({
  ...at(3),
  state: "open",
  epoch: 1,
  position: 5,
  fingerprint: null,
  cluster_id: "c",
  crashed_offset: null,
  attempts: 0,
  cautious_until: 0,
  owes: false,
  counted: false,
  tailing: false,
  proven: false,
  revoked: false,
  lag: 0,
  progressed_at: 0,
  busy_since: null,
  ...over,
});

test("a process without lanes, and one that is idle, never stalls", () => {
  expect(stalled({ now: 1e9, fetched_at: 0, lanes: [] })).toBeNull();
  expect(stalled({ now: 1e9, fetched_at: 1e9, lanes: [lane()] })).toBeNull();
});

test("a limit reached is not yet a limit passed", () => {
  const { fetch_ms, progress_ms, work_ms } = LIMITS;
  const at_limit = [lane({ lag: 1, progressed_at: 0 }), lane({ state: "busy", busy_since: progress_ms - work_ms })];
  expect(stalled({ now: progress_ms, fetched_at: progress_ms - fetch_ms, lanes: at_limit })).toBeNull();
});

test("each stall is named", () => {
  const now = 1_000_000;
  expect(stalled({ now, fetched_at: now - 20_001, lanes: [lane()] })).toBe("no fetch was answered for 20 s");
  expect(stalled({ now, fetched_at: now, lanes: [lane({ lag: 1, progressed_at: now - 60_001 })] })).toBe(
    "log/3 has lag and made no progress for 60 s",
  );
  expect(stalled({ now, fetched_at: now, lanes: [lane({ state: "busy", busy_since: now - 120_001 })] })).toBe(
    "log/3 has worked on one batch for 120 s",
  );
});

test("a lane that waits for its turn to work is no stall, however long", () => {
  expect(stalled({ now: 1e9, fetched_at: 1e9, lanes: [lane({ state: "busy", lag: 9 })] })).toBeNull();
});

test("what a process did not see because it had no turn itself counts against nobody", () => {
  const lanes = [lane({ lag: 1, progressed_at: 500 }), lane({ state: "busy", busy_since: 700 }), lane()];
  expect(excuse({ now: 10_000, looked_at: 10_000 - LOOK_MS, lanes })).toBe(0);
  expect(lanes.map(({ progressed_at, busy_since }) => [progressed_at, busy_since])).toEqual([
    [500, null],
    [0, 700],
    [0, null],
  ]);
  expect(excuse({ now: 40_000, looked_at: 10_000, lanes })).toBe(30_000 - LOOK_MS);
  expect(lanes.map(({ progressed_at, busy_since }) => [progressed_at, busy_since])).toEqual([
    [29_500, null],
    [29_000, 29_700],
    [29_000, null],
  ]);
});
