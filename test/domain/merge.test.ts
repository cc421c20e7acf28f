import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "../../src/domain/canonical.ts";
import { conflictId } from "../../src/domain/copies.ts";
import { liveSamples, twinKey } from "../../src/domain/merge.ts";
import type { Sample, Tombstone } from "../../src/domain/sample.ts";
import { aSample, at, digest, shuffled, uuid } from "./make.ts";

const merge = (samples: Sample[], tombstones: Tombstone[] = []) => liveSamples(samples, tombstones, digest);
const ids = (samples: readonly Sample[]): string[] => samples.map(({ sample_id }) => sample_id);
const adoptedIds = (samples: Sample[], tombstones: Tombstone[] = []): string[] =>
  ids(merge(samples, tombstones).adopted.map(({ sample }) => sample));

const real = (n: number, value = 60): Sample => aSample({ sample_id: uuid(n), value });
const record = (n: number, value = 60): Sample =>
  aSample({ sample_id: uuid(n), value, attributes: { synthetic: true } });
const deleted = (n: number, of: Sample | null = null): Tombstone => ({
  sample_id: uuid(n),
  reason: "deleted",
  twin_key: of === null ? null : twinKey(of),
});

test("rows come sorted by metric, start, end and id, each id once", () => {
  const a = aSample({ metric: "steps", sample_id: uuid(9) });
  const b = aSample({ sample_id: uuid(5), start_at: at("2026-03-10T11:00:00Z") });
  const c = aSample({ sample_id: uuid(3), end_at: at("2026-03-10T12:00:01Z") });
  expect(ids(merge([a, c, real(2), real(1), b, real(2)]).live)).toEqual([5, 1, 2, 3, 9].map(uuid));
});

test("a deleted sample is gone, also when its deletion came first", () => {
  expect(ids(merge([real(1), real(2)], [deleted(1)]).live)).toEqual([uuid(2)]);
});

test("a synthetic record and a uuid sample with the same key are one sample: the uuid's", () => {
  const { live, adopted } = merge([record(1), real(2)]);
  expect(ids(live)).toEqual([uuid(2)]);
  expect(adopted).toEqual([{ sample: record(1), twin_key: ["heart_rate", 1773144000, 1773144000, "Watch", 60] }]);
});

test("milliseconds and a thousandth of the value do not keep twins apart", () => {
  expect(
    adoptedIds([{ ...record(1, 60.05), start_at: record(1).start_at + 999, end_at: record(1).end_at + 999 }, real(2)]),
  ).toEqual([uuid(1)]);
  expect(adoptedIds([record(1, 60.07), real(2)])).toEqual([]);
  expect(adoptedIds([record(1, 59.9), real(2)])).toEqual([]);
  expect(adoptedIds([record(1, 0), real(2, 0)])).toEqual([uuid(1)]);
});

test("another source, second or metric is no twin", () => {
  for (const over of [{ source: "Phone" }, { end_at: at("2026-03-10T12:00:01Z") }, { metric: "steps" }])
    expect(adoptedIds([{ ...record(1), ...over }, real(2)])).toEqual([]);
});

test("aggregates have no twins", () => {
  const point = aSample({ sample_id: uuid(1), attributes: { synthetic: true, aggregated: true } });
  expect(ids(merge([point, real(2)]).live)).toEqual([uuid(1), uuid(2)]);
});

test("twins pair one to one, by value and id ascending", () => {
  expect(adoptedIds([record(2), record(1), record(3), real(4), real(5)])).toEqual([uuid(1), uuid(2)]);
  expect(adoptedIds([record(1, 50), record(2, 60), record(3, 70), real(4, 70), real(5, 60)])).toEqual([
    uuid(2),
    uuid(3),
  ]);
});

test("a deleted uuid still adopts its twin, once its content was seen", () => {
  expect(adoptedIds([record(1)], [deleted(2, real(2))])).toEqual([uuid(1)]);
  expect(adoptedIds([record(1)], [deleted(2)])).toEqual([]);
  expect(ids(merge([record(1)], [{ ...deleted(2, real(2)), reason: "superseded" }]).live)).toEqual([]);
});

test("a record that was adopted before holds its uuid, so that a second equal record stays", () => {
  const before: Tombstone = { sample_id: uuid(9), reason: "adopted", twin_key: twinKey(record(9)) };
  expect(ids(merge([record(1), record(9), real(2)], [before]).live)).toEqual([uuid(1), uuid(2)]);
  expect(adoptedIds([record(1), record(9), real(2), real(3)], [before])).toEqual([uuid(1)]);
});

test("a copy renamed in a conflict is one sample with the row that was renamed before", () => {
  const first = aSample({ received_at: 1 });
  const second = aSample({ received_at: 2, end_at: at("2026-03-10T12:00:01Z") });
  const once = merge([first, second]).live;
  expect(ids(once).toSorted()).toEqual([uuid(1), conflictId(second, digest)].toSorted());
  expect(merge([second, first, ...once]).live).toEqual(once);
});

test("the deletion of a uuid removes every sample sent under it, before and after the others came", () => {
  const [first, second] = [
    aSample({ received_at: 1 }),
    aSample({ received_at: 2, end_at: at("2026-03-10T12:00:01Z") }),
  ];
  const renamed = merge([first, second]).live;
  expect(merge(renamed, [deleted(1)]).live).toEqual([]);
  expect(merge([first, second], [deleted(1)]).live).toEqual([]);
  const stone = { ...deleted(1), sample_id: conflictId(second, digest) };
  expect(merge([first, second], [stone]).live).toEqual([first]);
});

const anySample = fc
  .record({
    n: fc.integer({ min: 1, max: 12 }),
    received_at: fc.integer({ min: 1, max: 3 }),
    value: fc.constantFrom(60, 60.01, 70),
    second: fc.integer({ min: 0, max: 1 }),
    version: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
  })
  .map(({ n, received_at, value, second, version }) => {
    // Ids from 9 on are those of records: a synthetic id is never that of a uuid sample.
    const start_at = at("2026-03-10T12:00:00Z") + second * 1000;
    const attributes = {
      ...(n > 8 ? { synthetic: true as const } : {}),
      ...(version === undefined ? {} : { sync_version: version }),
    };
    return aSample({ sample_id: uuid(n), received_at, value, start_at, attributes });
  });
const anyStones = fc.uniqueArray(
  fc
    .record({ n: fc.integer({ min: 1, max: 16 }), seen: fc.boolean() })
    .map(({ n, seen }) => deleted(n, seen ? real(n) : null)),
  { maxLength: 3, selector: ({ sample_id }) => sample_id },
);

test("what is live does not depend on the order of rows and tombstones, nor on repeated rows", () => {
  fc.assert(
    fc.property(shuffled(fc.array(anySample, { maxLength: 14 })), shuffled(anyStones), ([a, b], [s, t]) => {
      const [one, other] = [merge(a, s), merge([...b, ...b], t)];
      const adopted = (merged: typeof one): string[] => ids(merged.adopted.map(({ sample }) => sample)).toSorted();
      expect(other.live.map(canonicalJson)).toEqual(one.live.map(canonicalJson));
      expect(adopted(other)).toEqual(adopted(one));
    }),
    { numRuns: 500 },
  );
});

test("merging what is live again, with the adopted as tombstones, changes nothing", () => {
  fc.assert(
    fc.property(fc.array(anySample, { maxLength: 14 }), (samples) => {
      const { live, adopted } = merge(samples);
      const stones = adopted.map(({ sample, twin_key }): Tombstone => ({
        sample_id: sample.sample_id,
        reason: "adopted",
        twin_key,
      }));
      expect(merge(live, stones)).toEqual({ live, adopted: [] });
      expect(merge([...samples, ...live], stones)).toEqual({ live, adopted: [] });
    }),
    { numRuns: 500 },
  );
});
