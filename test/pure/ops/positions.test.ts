import { expect, test } from "vitest";
import { changesTable, positionsTable } from "../../../src/ops/positions-command.ts";
import { planChange } from "../../../src/ops/positions.ts";
import { isQuiet, pendingText } from "../../../src/ops/wait-conditions.ts";

const place = (from: number | null) => ({ topic: "health.samples.v1", topic_partition: 3, from });
const log = { low: 100, high: 500 };

test.each([
  [300, "earliest", { to: 100, lost: 0, repeated: 200, gone: 0 }],
  [300, "latest", { to: 500, lost: 200, repeated: 0, gone: 0 }],
  [300, 350, { to: 350, lost: 50, repeated: 0, gone: 0 }],
  [40, "earliest", { to: 100, lost: 0, repeated: 0, gone: 60 }],
  [40, "latest", { to: 500, lost: 400, repeated: 0, gone: 60 }],
  [900, "earliest", { to: 100, lost: 0, repeated: 0, gone: 0 }],
  [900, "latest", { to: 500, lost: 400, repeated: 0, gone: 0 }],
  [null, "latest", { to: 500, lost: 400, repeated: 0, gone: 0 }],
] as const)("from %s to %s says what is lost, repeated and gone", (from, target, expected) => {
  expect(planChange(place(from), log, target)).toMatchObject(expected);
});

test("an offset outside the log is refused with the range that it holds", () => {
  expect(() => planChange(place(300), log, 501)).toThrow("offsets 100 to 500");
  expect(() => planChange(place(300), log, 99)).toThrow("offsets 100 to 500");
});

test("the table of changes says their effect in words", () => {
  const [, line] = changesTable([planChange(place(300), log, "latest")]);
  expect(line).toContain("200 records will never be applied");
});

test("a position that a worker would refuse is shown as refused", () => {
  const row = {
    group_id: "staging",
    topic: "t",
    topic_partition: 0,
    epoch: 4,
    fingerprint: null,
    last_timestamp: null,
  };
  const stored = { ...row, cluster_id: null, attempts: 0, crashed_offset: null };
  const [, line] = positionsTable([{ ...stored, position: 40, low: 100, high: 500, lag: 460 }]);
  expect(line).toContain("behind the log's start: refused");
});

test("what is under way is said in words, and quiet is when nothing is", () => {
  const pending = { records: 2, windows: 1, history: 0, deletions: 0, outbox: 0 };
  expect(pendingText(pending)).toBe("2 records to stage, 1 window to fire");
  expect(isQuiet(pending)).toBe(false);
  expect(isQuiet({ records: 0, windows: 0, history: 0, deletions: 0, outbox: 0 })).toBe(true);
});
