import { canonicalJson } from "../../src/domain/canonical.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as copies from "../../src/domain/copies.ts";
import { NAMESPACE, uuid5 } from "../../src/domain/ids.ts";
import type { Attributes, Sample } from "../../src/domain/sample.ts";
import { aSample, at, changed, digest, shuffled, uuid } from "./make.ts";

const beats = (a: Sample, b: Sample): boolean => copies.beats(a, b, digest);

test("a higher sync version wins over an earlier arrival", () => {
  const old = aSample({ received_at: 1, attributes: { sync_version: 1 } });
  expect(beats(aSample({ received_at: 2, attributes: { sync_version: 2 } }), old)).toBe(true);
  expect(beats(old, aSample({ received_at: 0 }))).toBe(true);
});

test("of equal versions the earliest received wins, because HealthKit samples are immutable", () => {
  expect(beats(aSample({ received_at: 1 }), aSample({ received_at: 2, value: 61 }))).toBe(true);
});

test("received together, the smaller content hash wins", () => {
  const [a, b] = [aSample({ value: 61 }), aSample({ value: 62 })];
  expect(beats(a, b)).toBe(copies.contentHash(a, digest) < copies.contentHash(b, digest));
});

test("of a synthetic aggregate the latest received wins, because a re-sent window replaces", () => {
  const attributes: Attributes = { synthetic: true, aggregated: true };
  expect(beats(aSample({ received_at: 2, attributes }), aSample({ received_at: 1, attributes }))).toBe(true);
  expect(
    beats(
      aSample({ received_at: 2, attributes: { synthetic: true } }),
      aSample({ received_at: 1, attributes: { synthetic: true } }),
    ),
  ).toBe(false);
  expect(beats(aSample({ received_at: 2 }), aSample({ received_at: 1, attributes }))).toBe(true);
});

test("equal versions of two samples: the smaller id", () => {
  expect(beats(aSample({ sample_id: uuid(1) }), aSample({ sample_id: uuid(2) }))).toBe(true);
});

test("the content hash is that of metric, start, end, value, unit and source key", () => {
  const sample = aSample({ attributes: { bundle_id: "b", product_type: "p" } });
  const { start_at } = sample;
  const text = JSON.stringify(["heart_rate", start_at, start_at, 60, "count/min", "b|p"]);
  expect(copies.contentHash(sample, digest)).toBe(digest.sha256(text));
  expect(copies.contentHash({ ...sample, tz: "Asia/Tokyo", received_at: 9 }, digest)).toBe(digest.sha256(text));
});

const few = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const attributes: fc.Arbitrary<Attributes> = fc.record(
  {
    sync_version: few(1, 2),
    synthetic: fc.constant(true as const),
    aggregated: fc.constant(true as const),
    metadata: few({ a: 1, b: [1, { c: 2 }] }, { b: 2 }),
  },
  { requiredKeys: [] },
);
const sample = fc
  .record({
    received_at: few(1, 2),
    value: few(60, 61),
    tz: few("UTC", "Asia/Tokyo"),
    n: few(1, 2),
    hour: few(12, 13),
    attributes,
  })
  .map(({ n, hour, ...rest }) => aSample({ ...rest, sample_id: uuid(n), start_at: at(`2026-03-10T${hour}:00:00Z`) }));

test("beats is a strict total order: one of two unequal samples wins, and wins pass on", () => {
  fc.assert(
    fc.property(sample, sample, sample, (a, b, c) => {
      const equal = canonicalJson(a) === canonicalJson(b);
      expect(Number(beats(a, b)) + Number(beats(b, a))).toBe(equal ? 0 : 1);
      expect(beats(a, b) && beats(b, c) && !beats(a, c)).toBe(false);
    }),
    { numRuns: 3000 },
  );
});

test("a sample is the same after a round trip that reorders its members", () => {
  const sample = aSample({ attributes: { door: "native", count: 1, metadata: { a: 1, b: null } } });
  const { attributes: some, ...rest } = sample;
  const reordered = { attributes: { metadata: { b: null, a: 1 }, count: 1, door: "native" }, ...rest };
  expect(some).toEqual(reordered.attributes);
  expect(canonicalJson(reordered)).toBe(canonicalJson(sample));
});

test("of copies of one moment the winner remains", () => {
  const [first, second] = [aSample({ received_at: 1 }), aSample({ received_at: 2, value: 61 })];
  expect(copies.resolveCopies([second, first], digest)).toEqual([first]);
  expect(copies.resolveCopies([], digest)).toEqual([]);
});

test("a uuid used for two moments gives two samples, the later-received under an id of its own", () => {
  const first = aSample({ received_at: 1, attributes: { flags: ["soft_range"] } });
  const second = aSample({ received_at: 2, end_at: at("2026-03-10T12:00:01Z"), attributes: { flags: ["soft_range"] } });
  const renamed = uuid5(NAMESPACE, `${uuid(1)}|2026-03-10T12:00:00.000Z|2026-03-10T12:00:01.000Z`, digest);
  expect(copies.resolveCopies([second, first], digest)).toEqual([
    { ...second, sample_id: renamed, attributes: { flags: ["soft_range", "conflict", `conflict_of:${uuid(1)}`] } },
    first,
  ]);
  expect(copies.conflictId(second, digest)).toBe(renamed);
});

test("a renamed sample can be removed under both of its ids", () => {
  const [first, second] = [
    aSample({ received_at: 1 }),
    aSample({ received_at: 2, end_at: at("2026-03-10T12:00:01Z") }),
  ];
  const renamed = copies.resolveCopies([first, second], digest).find((copy) => copy.sample_id !== uuid(1)) as Sample;
  expect(copies.tombstoneIds(renamed)).toEqual([renamed.sample_id, uuid(1)]);
  expect(copies.tombstoneIds(first)).toEqual([uuid(1)]);
  expect(copies.conflictOf(aSample({ attributes: { flags: ["soft_range"] } }))).toBeUndefined();
});

test("copies with a synthetic id never conflict: milliseconds may differ between exports", () => {
  const attributes: Attributes = { synthetic: true };
  const [first, second] = [
    aSample({ received_at: 1, attributes }),
    aSample({ received_at: 2, end_at: at("2026-03-10T12:00:01Z"), attributes }),
  ];
  expect(copies.resolveCopies([second, first], digest)).toEqual([first]);
  expect(copies.conflicts(aSample(), second)).toBe(false);
});

const resolve = (all: Sample[]): string[] => copies.resolveCopies(all, digest).map(canonicalJson).toSorted();
const ofOneId = fc.array(
  sample.map((copy) => changed(copy, { sample_id: uuid(1) })),
  { maxLength: 6 },
);

test("what remains of copies does not depend on their order", () => {
  fc.assert(
    fc.property(shuffled(ofOneId), ([a, b]) => {
      expect(resolve(b)).toEqual(resolve(a));
    }),
  );
});

test("copies sort alike before and after one of them was renamed, whatever else they are flagged with", () => {
  const first = aSample({ received_at: 1, attributes: { flags: ["soft_range"] } });
  const later = aSample({ received_at: 2, end_at: first.end_at + 1000, attributes: { flags: ["soft_range"] } });
  const renamed = copies.resolveCopies([first, later], digest).find(({ end_at }) => end_at === later.end_at);
  expect(renamed?.attributes.flags).toEqual(["soft_range", "conflict", `conflict_of:${later.sample_id}`]);
  const again: Sample = { ...later, sample_id: renamed?.sample_id ?? "" };
  expect(copies.compareCopies(renamed ?? later, again, digest)).toBe(0);
});

const flagged = (metadata: Record<string, unknown>, ...flags: string[]): Sample =>
  aSample({ attributes: { metadata, flags } });

test("a renamed copy sorts as it was sent: by its flags but for the marks, then by what still differs", () => {
  const marks = ["conflict", `conflict_of:${uuid(9)}`];
  expect(beats(flagged({ a: 1 }, "soft_range", ...marks), flagged({ a: 2 }, "soft_range"))).toBe(
    beats(flagged({ a: 1 }, "soft_range"), flagged({ a: 2 }, "soft_range", ...marks)),
  );
  expect(beats(flagged({ a: 1 }, ...marks), flagged({ a: 2 }, ...marks))).toBe(
    beats(aSample({ attributes: { metadata: { a: 1 } } }), aSample({ attributes: { metadata: { a: 2 } } })),
  );
});
