import { expect, test } from "vitest";
import { expectation } from "../../support/audit/expected-live.ts";
import type { Expected } from "../../support/audit/expected-samples.ts";
import { readLedger, type LedgerSample } from "../../support/audit/ledger.ts";
import { clockOf, localDateOf, nextDate } from "../../support/audit/local-time.ts";
import { resting } from "../../support/audit/resting.ts";
import { mergedSums } from "../../support/audit/steps.ts";

const WATCH = { name: "Watch", bundle_id: "com.apple.health.W", product_type: "Watch7,5" };
const PHONE = { name: "iPhone", bundle_id: "com.apple.health.P", product_type: "iPhone17,1" };
const line = (over: Partial<LedgerSample>): LedgerSample => ({
  kind: "sample",
  athlete_id: "a",
  batch_id: "b",
  sample_id: crypto.randomUUID(),
  type: "HKQuantityTypeIdentifierStepCount",
  start: "2026-03-10T10:00:00Z",
  end: "2026-03-10T10:10:00Z",
  value: 100,
  unit: "count",
  source: WATCH,
  fate: "accepted",
  ...over,
});
const live = (lines: readonly LedgerSample[]): Expected[] => [...expectation(readLedger(lines), () => 0).live.values()];
const steps = (...lines: LedgerSample[]): Record<string, number> => Object.fromEntries(mergedSums(live(lines), []));

const rates = (hearts: Expected[], walks: Expected[] = []): Map<string, number> =>
  resting(hearts, walks, []).byDate(new Map());

test("days follow the zone through both changes of the clock", () => {
  const spring = Date.parse("2026-03-29T00:30:00Z");
  expect(localDateOf(spring, "Europe/Amsterdam")).toBe("2026-03-29");
  expect(nextDate(Date.parse("2026-03-28T23:00:00Z"), "Europe/Amsterdam")).toBe(Date.parse("2026-03-29T22:00:00Z"));
  expect(nextDate(Date.parse("2026-10-24T22:00:00Z"), "Europe/Amsterdam")).toBe(Date.parse("2026-10-25T23:00:00Z"));
  expect(clockOf(Date.parse("2026-10-25T00:30:00Z"), "+05:30")).toBe(6 * 3_600_000);
});

test("of overlapping sources the Watch counts, and the phone fills what it left", () => {
  const phone = line({ source: PHONE, start: "2026-03-10T10:05:00Z", end: "2026-03-10T10:15:00Z", value: 80 });
  expect(steps(line({}), phone)).toEqual({ "2026-03-10": 140 });
});

test("steps across midnight are apportioned in the winner's zone", () => {
  const walk = line({
    start: "2026-03-10T22:50:00Z",
    end: "2026-03-10T23:10:00Z",
    batch_time_zone: "Europe/Amsterdam",
  });
  expect(steps(walk)).toEqual({ "2026-03-10": 50, "2026-03-11": 50 });
});

test("the resting rate is the lowest half hour of the night, and needs an hour of data", () => {
  const night = (n: number): LedgerSample[] =>
    Array.from({ length: n }, (_, i) => {
      const at = Date.parse("2026-03-10T01:00:00Z") + i * 300_000;
      const unit = "count/min";
      return line({ type: "HKQuantityTypeIdentifierHeartRate", unit, start: at, end: at, value: i < 6 ? 48 : 60 });
    });
  expect(Object.fromEntries(rates(live(night(20))))).toEqual({ "2026-03-10": 48 });
  expect(rates(live(night(11))).size).toBe(0);
  const walk = line({ start: "2026-03-10T01:00:00Z", end: "2026-03-10T01:30:00Z", value: 9 });
  expect(rates(live(night(30)), live([walk])).get("2026-03-10")).toBe(60);
});

test("deleted, superseded and adopted samples must be gone, whatever came first", () => {
  const [old, young] = [1, 2].map((version) =>
    line({ value: version, metadata: { HKMetadataKeySyncIdentifier: "s", HKMetadataKeySyncVersion: version } }),
  );
  const twin = line({ start: "2026-03-11T10:00:00Z", end: "2026-03-11T10:01:00Z" });
  const lines = [old as LedgerSample, young as LedgerSample, twin, { ...twin, sample_id: "made", synthetic: true }];
  const { live: kept, gone } = expectation(readLedger(lines), () => 0);
  expect([...gone.values()].toSorted()).toEqual(["adopted", "superseded"]);
  expect([...kept.values()].map((s) => s.value).toSorted((a, b) => a - b)).toEqual([2, 100]);
});

test("copies of one id: the first received stays, one with other times goes under an id of its own", () => {
  const first = line({ sample_id: "11111111-1111-4111-8111-111111111111", value: 5 });
  const copies = [
    first,
    { ...first, value: 6, batch_id: "c" },
    { ...first, end: "2026-03-10T10:20:00Z", batch_id: "d" },
  ];
  const { live: kept } = expectation(readLedger(copies), (_, batch) => (batch ?? "").charCodeAt(0));
  expect([...kept.values()].map((s) => s.value)).toEqual([5, 5]);
  expect(kept.size).toBe(2);
});
