import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { AthleteMetric } from "../../../avro/records.d.ts";
import { type MetricRecord, openCopy } from "../../../examples/metrics-copy/copy.ts";

const folder = mkdtempSync(join(tmpdir(), "health-sync-copy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = (): string => join(folder, `${(files += 1)}.sqlite`);

const DAY = 86_400_000;
const row = (key: string, revision: number): MetricRecord => ({
  key,
  revision,
  value: { metric: key, revision } as AthleteMetric,
});
const gone = (key: string, revision: number): MetricRecord => ({ key, revision, value: null });
const revisions = (rows: readonly AthleteMetric[]) => rows.map(({ metric, revision }) => [metric, revision]);

test("any order, repetition and split of the same records gives the same copy", () => {
  const records = fc
    .uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 })
    .chain((numbers) =>
      fc.tuple(
        ...numbers.map((n) =>
          fc.tuple(fc.constantFrom("a", "b", "c"), fc.boolean()).map(([key, dead]) => (dead ? gone : row)(key, n)),
        ),
      ),
    );
  fc.assert(
    fc.property(records, fc.infiniteStream(fc.nat()), (sent, numbers) => {
      const [straight, shuffled] = [openCopy(":memory:", 0), openCopy(":memory:", 0)];
      straight.apply(sent, 1);
      const again = [...sent, ...sent].map((record) => ({ record, at: numbers.next().value as number }));
      for (const { record } of again.toSorted((a, b) => a.at - b.at)) shuffled.apply([record], 1);
      const last = new Map(sent.toSorted((a, b) => a.revision - b.revision).map((record) => [record.key, record]));
      const alive = [...last.values()]
        .filter(({ value }) => value !== null)
        .toSorted((a, b) => (a.key < b.key ? -1 : 1));
      expect(revisions(straight.rows())).toEqual(alive.map(({ key, revision }) => [key, revision]));
      expect(shuffled.rows()).toEqual(straight.rows());
    }),
    { numRuns: 60 },
  );
});

test("a tombstone seen before its row keeps it away", () => {
  const copy = openCopy(":memory:", 0);
  copy.apply([gone("a", 5), row("a", 4)], 1);
  expect(copy.rows()).toEqual([]);
  copy.apply([row("a", 6)], 2);
  expect(revisions(copy.rows())).toEqual([["a", 6]]);
});

test("after a week away the topic is read anew, and what it no longer holds is gone", () => {
  const file = newFile();
  const before = openCopy(file, 0);
  before.apply([row("a", 1), row("b", 2), row("c", 3)], DAY);
  before.close();
  const after = openCopy(file, 9 * DAY);
  expect(after.reading).toBe(before.reading + 1);
  after.apply([row("a", 1), row("c", 9)], 9 * DAY);
  expect(revisions(after.rows())).toEqual([
    ["a", 1],
    ["b", 2],
    ["c", 9],
  ]);
  after.caughtUp();
  expect(revisions(after.rows())).toEqual([
    ["a", 1],
    ["c", 9],
  ]);
  after.close();
});

test("a short absence goes on where it was, and nothing is taken for gone", () => {
  const file = newFile();
  const before = openCopy(file, 0);
  before.apply([row("a", 1)], DAY);
  before.close();
  const after = openCopy(file, 3 * DAY);
  expect(after.reading).toBe(before.reading);
  after.caughtUp();
  expect(revisions(after.rows())).toEqual([["a", 1]]);
  after.close();
});
