import { expect, test } from "vitest";
import type { MetricValue } from "../../../src/domain/day-metrics.ts";
import type { MetricRow } from "../../../src/flow/metric-rows.ts";
import { metricChanges } from "../../../src/windows/metric-changes.ts";

const DATE = "2026-11-20";
const computed = (value: number, change: Partial<MetricValue> = {}): MetricValue => ({
  metric: "steps",
  source: "derived",
  value,
  unit: "count",
  method: "steps_merge/1",
  input_hash: `hash of ${value}`,
  provenance: { n: 1, sources: [{ source_key: "a", counted: value }] },
  ...change,
});
const row = (change: Partial<MetricRow> = {}): MetricRow => ({
  date: DATE,
  ...computed(100),
  locked: false,
  synced_value: null,
  is_final: true,
  ...change,
});

test("an equal row is no change, whatever the order of members in its JSON", () => {
  const shuffled = row({ provenance: { sources: [{ counted: 100, source_key: "a" }], n: 1 } });
  expect(metricChanges(DATE, [shuffled], [computed(100)], true)).toEqual({ upserts: [], deletes: [] });
});

test("closing a day makes its equal value final, which is a change", () => {
  expect(metricChanges(DATE, [row({ is_final: false })], [computed(100)], true).upserts).toEqual([row()]);
});

test("a locked value stays, and what the sync would have written stands beside it", () => {
  const locked = row({ locked: true, value: 7, synced_value: 100 });
  const { upserts, deletes } = metricChanges(DATE, [locked], [computed(300)], true);
  expect(deletes).toEqual([]);
  expect(upserts).toEqual([{ ...row(), ...computed(300), value: 7, locked: true, synced_value: 300 }]);
});

test("a locked row whose inputs vanish stays with no synced value, any other row goes", () => {
  const locked = row({ locked: true, value: 7, synced_value: 100 });
  const kept = metricChanges(DATE, [locked], [], true);
  expect(kept.deletes).toEqual([]);
  expect(kept.upserts).toEqual([{ ...locked, synced_value: null, method: null, input_hash: null, provenance: null }]);
  expect(metricChanges(DATE, kept.upserts, [], true)).toEqual({ upserts: [], deletes: [] });
  expect(metricChanges(DATE, [row()], [], true).deletes).toEqual([{ date: DATE, metric: "steps", source: "derived" }]);
});

test("a vanished locked row is filled again when its inputs return", () => {
  const vanished = row({
    locked: true,
    value: 7,
    synced_value: null,
    method: null,
    input_hash: null,
    provenance: null,
  });
  expect(metricChanges(DATE, [vanished], [computed(100)], true).upserts).toEqual([
    row({ locked: true, value: 7, synced_value: 100 }),
  ]);
});
