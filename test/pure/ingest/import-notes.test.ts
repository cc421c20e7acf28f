import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { LogInfo, Written } from "../../../src/flow/ports.ts";
import type { BatchDecision } from "../../../src/ingest/decide.ts";
import { openNotes } from "../../../src/ingest/import-notes.ts";

const root = mkdtempSync(join(tmpdir(), "import-notes-"));
const folder = join(root, "imports");
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = { now: () => Date.now() };
const log = (high: number, cluster = "c1"): LogInfo => ({
  bounds: async () => new Map([[3, { low: 0, high }]]),
  clusterId: async () => cluster,
});
const decision = (batch_id: string, body_hash = "h"): BatchDecision => ({
  chunks: [],
  dead_letters: [],
  receipt: { batch_id, body_hash } as BatchDecision["receipt"],
  answer: {} as BatchDecision["answer"],
});
const place = { folder, athlete_id: "anna", brokers: ["k:1"], batchesTopic: "batches" };
const written = (last_offset: number): Written[] => [{ topic: "backfill", topic_partition: 3, last_offset }];
const open = (more: { athlete_id?: string; log?: LogInfo; again?: boolean } = {}) =>
  openNotes({ ...place, athlete_id: more.athlete_id ?? "anna" }, { log: more.log ?? log(100), clock }, more.again);

/** An import that sent b1 and b2 and was killed. */
const interrupted = async (): Promise<string> => {
  const notes = await open();
  await Promise.all([notes.add(decision("b1"), written(8)), notes.add(decision("b2"), written(9))]);
  return join(folder, readdirSync(folder)[0] ?? "");
};

test("what an interrupted import sent is known to the next one, and nothing else", async () => {
  await interrupted();
  const notes = await open();
  expect(["b1", "b2", "b3"].map((id) => notes.has(decision(id)))).toEqual([true, true, false]);
  expect(notes.has(decision("b1", "another body"))).toBe(false);
  expect((await open({ athlete_id: "ben" })).has(decision("b1"))).toBe(false);
  expect((await open({ again: true })).has(decision("b1"))).toBe(false);
});

test("an import interrupted twice goes on from the second time", async () => {
  await interrupted();
  await (await open()).add(decision("b3"), written(12));
  const notes = await open();
  expect(["b1", "b2", "b3"].map((id) => notes.has(decision(id)))).toEqual([true, true, true]);
});

test("after an import that came to its end there is nothing to go on with, and no file is left", async () => {
  await interrupted();
  (await open()).clear();
  expect(readdirSync(folder)).toEqual([]);
  expect((await open()).has(decision("b1"))).toBe(false);
});

const away: LogInfo = {
  bounds: () => Promise.reject(new Error("away")),
  clusterId: () => Promise.reject(new Error("away")),
};

test.each<[string, LogInfo]>([
  ["another cluster", log(100, "c2")],
  ["a log that is shorter than what was written", log(9)],
  ["topics without that partition", { ...log(100), bounds: async () => new Map() }],
  ["a Kafka that does not answer", away],
])("notes are not believed against %s: everything is sent again", async (_, against) => {
  await interrupted();
  expect((await open({ log: against })).has(decision("b1"))).toBe(false);
});

test("notes older than a day are not believed: the athlete may have been erased since", async () => {
  const path = await interrupted();
  const old = new Date(Date.now() - 25 * 3_600_000);
  utimesSync(path, old, old);
  expect((await open()).has(decision("b1"))).toBe(false);
});

test("a line that was cut off when the process died counts as not sent, and the next one is read", async () => {
  const path = await interrupted();
  truncateSync(path, readFileSync(path).length - 5);
  const second = await open();
  expect([second.has(decision("b1")), second.has(decision("b2"))]).toEqual([true, false]);
  await second.add(decision("b2"), written(20));
  expect((await open()).has(decision("b2"))).toBe(true);
});

test("a folder that cannot be written does not stop an import", async () => {
  mkdirSync(root, { recursive: true });
  const notes = await openNotes({ ...place, folder: "/dev/null/imports" }, { log: log(100), clock });
  await expect(notes.add(decision("b1"), written(1))).resolves.toBeUndefined();
});
