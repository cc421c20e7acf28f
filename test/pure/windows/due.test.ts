import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type DueRules, type WindowRow, duePane, jobsOf, nextPane } from "../../../src/windows/due.ts";

const rules: DueRules = {
  grace: 1000,
  early_every: 60,
  late_quiet: 2,
  backfill_quiet: 3,
  backlog_cap: 100,
  month_late_quiet: 50,
};
const quiet = { newest_touched_at: 0, staged: 0 };

const window = (change: Partial<WindowRow> = {}): WindowRow => ({
  athlete_id: "anna",
  local_date: "2026-11-20",
  dirty: 1,
  fired: 0,
  closes_at: 10_000,
  closed_at: null,
  touched_at: 5_000,
  fired_at: null,
  lane: "live",
  topic_partition: 0,
  rolled: null,
  ...change,
});

const due = (row: WindowRow, now: number, more: { applied?: boolean; staged?: number; newest?: number } = {}) =>
  duePane(
    row,
    {
      now,
      applied: more.applied ?? false,
      backlog: { newest_touched_at: more.newest ?? row.touched_at, staged: more.staged ?? 0 },
    },
    rules,
  );

test("an open day fires at once, then no sooner than early_every after its last firing", () => {
  expect(due(window(), 5_000)).toBe("early");
  expect(due(window({ fired_at: 5_000, fired: 1, dirty: 2 }), 5_059)).toBeNull();
  expect(due(window({ fired_at: 5_000, fired: 1, dirty: 2 }), 5_060)).toBe("early");
});

test("what was written under a clock that is hours ahead holds nothing up", () => {
  const ahead = 5_000 + 3_600_000;
  expect(due(window({ fired_at: ahead, fired: 1, dirty: 2 }), 5_000)).toBe("early");
  expect(due(window({ closed_at: 4_000, touched_at: ahead }), 5_000)).toBe("late");
  expect(due(window({ closed_at: 4_000, touched_at: ahead, lane: "backfill" }), 5_000)).toBe("late");
  expect(due(window({ closed_at: 4_000, touched_at: 5_001 }), 5_000)).toBeNull();
});

test("an open day without news does not fire", () => {
  expect(due(window({ fired: 1, fired_at: 5_000 }), 9_000)).toBeNull();
});

test("a day is open until the grace after its last midnight has passed", () => {
  expect(due(window(), 10_999)).toBe("early");
  expect(due(window(), 11_000, { applied: true })).toBe("on_time");
});

test("a day closes on time even when nothing is new, but not before the log is applied past its close", () => {
  const fired = window({ fired: 1, fired_at: 6_000 });
  expect(due(fired, 11_000, { applied: false })).toBeNull();
  expect(due(fired, 11_000, { applied: true })).toBe("on_time");
});

test("a day that was over before its first sample came is late and waits for quiet, not for the log", () => {
  const first = window({ touched_at: 20_000 });
  expect(due(first, 20_001)).toBeNull();
  expect(due(first, 20_002)).toBe("late");
});

test("news of a closed day fire late after the lane's quiet time", () => {
  const closed = window({ dirty: 3, fired: 2, closed_at: 11_000, fired_at: 11_000, touched_at: 30_000 });
  expect(due(closed, 30_001)).toBeNull();
  expect(due(closed, 30_002)).toBe("late");
  expect(due({ ...closed, fired: 3 }, 40_000)).toBeNull();
});

test("a backfill waits until the whole athlete is quiet, or until too much is staged", () => {
  const old = window({ lane: "backfill", touched_at: 20_000 });
  expect(due(old, 30_000, { newest: 29_998 })).toBeNull();
  expect(due(old, 30_000, { newest: 29_997 })).toBe("late");
  expect(due(old, 30_000, { newest: 30_000, staged: 100 })).toBe("late");
});

test("a closed day stays closed when a sample from another zone would move its midnight", () => {
  const moved = window({ dirty: 2, fired: 1, closed_at: 11_000, closes_at: 99_000 });
  expect(nextPane(moved, 12_000, rules)).toBe("late");
});

test("whatever is dirty fires in the end, and what is closed and clean never does", () => {
  const rows = fc.record({
    dirty: fc.integer({ min: 0, max: 4 }),
    fired: fc.integer({ min: 0, max: 4 }),
    closes_at: fc.integer({ min: 0, max: 50_000 }),
    closed_at: fc.option(fc.integer({ min: 0, max: 50_000 })),
    touched_at: fc.integer({ min: 0, max: 50_000 }),
    fired_at: fc.option(fc.integer({ min: 0, max: 50_000 })),
    lane: fc.constantFrom("live" as const, "backfill" as const),
  });
  fc.assert(
    fc.property(rows, (row) => {
      const it = window(row);
      const pane = duePane(it, { now: 200_000, applied: true, backlog: quiet }, rules);
      expect(pane !== null).toBe(it.dirty > it.fired || it.closed_at === null);
    }),
  );
});

test("jobs take open days first, then oldest first, at most twelve days and no wide gap", () => {
  const old = Array.from({ length: 14 }, (_, n) => ({ date: `2026-10-${10 + n}`, pane: "late" as const }));
  const far = { date: "2020-01-01", pane: "late" as const };
  const today = { date: "2026-11-22", pane: "early" as const };
  const jobs = jobsOf([...old, today, far]);
  expect(jobs.map((job) => job.map((day) => day.date))).toEqual([
    ["2026-11-22"],
    ["2020-01-01"],
    old.slice(0, 12).map((day) => day.date),
    old.slice(12).map((day) => day.date),
  ]);
});

test("late rows of a month that is one object are gathered longer, and its days fire together", () => {
  const late = window({ closed_at: 4_000, dirty: 2, fired: 1, touched_at: 20_000, rolled: "2026-11-01" });
  expect(due(late, 20_049)).toBeNull();
  expect(due(late, 20_050)).toBe("late");
  const days = Array.from({ length: 20 }, (_, n) => `2026-09-${String(n + 1).padStart(2, "0")}`);
  const apart = days.map((date) => ({ date, pane: "late" as const, rolled: null }));
  expect(jobsOf(apart).map((job) => job.length)).toEqual([12, 8]);
  const together = apart.map((day) => ({ ...day, rolled: "2026-09-01" }));
  expect(jobsOf(together).map((job) => job.length)).toEqual([20]);
  const next = { date: "2026-10-01", pane: "late" as const, rolled: "2026-10-01" };
  expect(jobsOf([...together, next]).map((job) => job.length)).toEqual([20, 1]);
});
