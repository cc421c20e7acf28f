import { expect, test } from "vitest";
import type { Sample } from "../../../src/domain/sample.ts";
import { rowsHash } from "../../../src/flow/rows-hash.ts";
import { decidePane } from "../../../src/windows/decide.ts";
import { daysOfMonths } from "../../../src/windows/months.ts";
import { digest } from "../../../src/flow/digest.ts";
import { paneFacts } from "../../support/windows/facts.ts";
import { at, heart, id } from "../../support/windows/samples.ts";

const tools = { digest, rowsHash };
const beat = (date: string, n: number, value = 60): Sample => heart(`${date}T08:00:00Z`, { value, name: `beat ${n}` });
const month = (rows: readonly Sample[]) => ({
  pointer: {
    period_start: "2026-09-01",
    period_end: "2026-09-30",
    level: "month" as const,
    object_key: "september",
    rows_hash: rowsHash(rows),
  },
  rows,
});
const september = [beat("2026-09-03", 1), beat("2026-09-04", 2), beat("2026-09-20", 3)];

const stone = (n: number) => ({ sample_id: id(`beat ${n}`), reason: "deleted" as const, twin_key: null });

test("a late sample of a day in a month rewrites the month, once, with the other days as they stand", () => {
  const staged = [beat("2026-09-04", 4, 70), beat("2026-09-05", 5)];
  const decision = decidePane(
    paneFacts({ staged, stored: [month(september)] }, { "2026-09-04": "late", "2026-09-05": "late" }),
    tools,
  );
  expect(decision.objects).toHaveLength(1);
  expect(decision.objects[0]).toMatchObject({
    level: "month",
    period_start: "2026-09-01",
    period_end: "2026-09-30",
    replaces: { object_key: "september" },
    rows_hash: rowsHash([...september, ...staged]),
  });
  expect(decision.removed).toEqual([]);
});

test("a late pane that changes nothing in its month writes nothing", () => {
  const decision = decidePane(paneFacts({ stored: [month(september)] }, { "2026-09-04": "late" }), tools);
  expect([decision.objects, decision.removed]).toEqual([[], []]);
  const again = decidePane(
    paneFacts({ staged: [beat("2026-09-04", 2)], stored: [month(september)] }, { "2026-09-04": "late" }),
    tools,
  );
  expect(again.objects).toEqual([]);
});

test("a month whose last row is deleted goes, and a deleted row leaves the others", () => {
  const one = [beat("2026-09-04", 2)];
  const gone = decidePane(paneFacts({ stored: [month(one)], tombstones: [stone(2)] }, { "2026-09-04": "late" }), tools);
  expect(gone.objects).toEqual([]);
  expect(gone.removed).toMatchObject([{ period_start: "2026-09-01", level: "month", object_key: "september" }]);
  const some = decidePane(
    paneFacts({ stored: [month(september)], tombstones: [stone(2)] }, { "2026-09-04": "late" }),
    tools,
  );
  expect(some.objects.map(({ rows_hash }) => rows_hash)).toEqual([
    rowsHash([beat("2026-09-03", 1), beat("2026-09-20", 3)]),
  ]);
});

test("days beside a month stay days", () => {
  const october = beat("2026-10-01", 9);
  const decision = decidePane(
    paneFacts({ staged: [october], stored: [month(september)] }, { "2026-10-01": "on_time" }),
    tools,
  );
  expect(decision.objects.map(({ level, period_start }) => [level, period_start])).toEqual([["day", "2026-10-01"]]);
});

test("a month taken apart has each of its rows in its day, once", () => {
  const days = daysOfMonths([month(september)]);
  expect(days.map(({ pointer, rows }) => [pointer.period_start, rows.length])).toEqual([
    ["2026-09-03", 1],
    ["2026-09-04", 1],
    ["2026-09-20", 1],
  ]);
  expect(at("2026-09-03T08:00:00Z")).toBe(days[0]?.rows[0]?.start_at);
});
