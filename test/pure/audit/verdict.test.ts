import { expect, test } from "vitest";
import { judge } from "../../support/audit/audit.ts";
import { readLedger } from "../../support/audit/ledger.ts";
import type { Stored } from "../../support/audit/stored.ts";
import { passed, render } from "../../support/audit/verdict.ts";
import { linesOf } from "../../support/audit/client.ts";

const nothing: Stored = {
  now: 0,
  rows: [],
  pointers: [],
  metrics: [],
  sessions: [],
  sleepPointers: [],
  streamRows: [],
  receipts: [],
  letters: [],
  windows: [],
  outbox: 0,
  objects: new Map(),
  listed: [],
  intents: new Map(),
  topics: new Map(),
};

test("nothing seen is not a pass", () => {
  const verdicts = judge(readLedger([]), nothing, { graceMs: 0 });
  expect(verdicts.filter(passed).map((v) => v.invariant)).toEqual(["I7"]);
  expect(render(verdicts, false)).toContain("nothing seen: no acknowledged samples");
});

test("a ledger line of an unknown kind is refused with its number", () => {
  expect(() => readLedger(['{"kind":"settings","athlete_id":"a"}', '{"kind":"guess"}'])).toThrow("line 2");
});

test("health values are shown only where asked for", () => {
  const verdict = {
    invariant: "I4" as const,
    checked: {},
    violations: [{ kind: "stale", id: "x", detail: "d", values: "61 ≠ 60" }],
  };
  expect(render([verdict], false)).not.toContain("61");
  expect(render([verdict], true)).toContain("61 ≠ 60");
});

test("a client's ledger holds the fate that the answer told, once a batch however often it was sent", () => {
  const sample = { uuid: "u", type: "T", start: "2026-01-01T00:00:00Z", end: "2026-01-01T00:00:00Z", value: 1 };
  const batch = {
    batch_id: "b",
    samples: [sample, { ...sample, uuid: "v" }, { ...sample, type: "I" }],
    deleted: [{ uuid: "w" }, { uuid: "x" }],
  };
  const answer = {
    rejected: [
      { index: 1, reason: "bad_uuid", path: "samples[1].uuid" },
      { index: -1, reason: "bad_uuid", path: "deleted[1].uuid" },
    ],
    ignored: { I: 1 },
  };
  const lines = linesOf("a", batch, answer);
  const ledger = readLedger([...lines, ...lines]);
  expect(ledger.samples.map((s) => s.fate)).toEqual(["accepted", "rejected", "ignored"]);
  expect(ledger.deletions.map((d) => d.fate)).toEqual(["accepted", "rejected"]);
});
