import * as fc from "fast-check";

export const RECEIVED_AT = Date.parse("2026-11-21T12:00:00Z");

const iso = fc.integer({ min: RECEIVED_AT - 5 * 86_400_000, max: RECEIVED_AT }).map((at) => new Date(at).toISOString());

const source = fc.record(
  {
    name: fc.constantFrom("Watch", "Athlete’s iPhone", "x".repeat(400)),
    bundle_id: fc.constantFrom("com.apple.health.1", null),
    product_type: fc.constantFrom("Watch7,5", "iPhone15,2", null),
  },
  { requiredKeys: [] },
);

const metadata = fc.oneof(
  { weight: 8, arbitrary: fc.constant<object>({ HKTimeZone: "Europe/Amsterdam" }) },
  { weight: 3, arbitrary: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 300_000 }).map((length) => ({ note: "é".repeat(length) })) },
);

/** A sample that is right as far as its metadata fit. */
export const goodSample = fc
  .record({
    uuid: fc.uuid(),
    type: fc.constantFrom("HKQuantityTypeIdentifierHeartRate", "HKQuantityTypeIdentifierStepCount"),
    start: iso,
    value: fc.integer({ min: 40, max: 180 }),
    source,
    metadata,
  })
  .map((sample) =>
    Object.assign(sample, { end: sample.start, unit: sample.type.endsWith("HeartRate") ? "count/min" : "count" }),
  );

const wrong = fc.constantFrom<Record<string, unknown>>(
  { uuid: null },
  { uuid: "not-a-uuid" },
  { type: "Nothing" },
  { type: 7 },
  { start: "2026-11-21T06:00:00" },
  { end: "2001-01-01T00:00:00Z" },
  { value: "57" },
  { value: null },
  { value: 1e9 },
  { unit: "furlong" },
  { unit: 3 },
  { source: "Watch" },
  { source: { name: 3 } },
  { metadata: [] },
  { time_zone: "Mars/Olympus" },
  { created: "yesterday" },
  { type: "HKQuantityTypeIdentifierUVExposure" },
);

/** Anything that may stand in `samples`. */
export const anySample: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: goodSample },
  { weight: 4, arbitrary: fc.tuple(goodSample, wrong).map(([sample, fault]) => Object.assign({}, sample, fault)) },
  {
    weight: 1,
    arbitrary: fc
      .anything({ withNullPrototype: false, withBigInt: false })
      .filter((value) => JSON.stringify(value) !== undefined),
  },
);

export const anyDeletion: fc.Arbitrary<unknown> = fc.oneof(
  fc.record({ uuid: fc.uuid() }),
  fc.record({ uuid: fc.uuid(), type: fc.constant("HKQuantityTypeIdentifierHeartRate") }),
  fc.constantFrom<unknown>({ uuid: "x" }, {}, null, 3),
);

export const anyDaily: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant({ date: "2026-11-20", type: "HKQuantityTypeIdentifierStepCount", value: 12_034, unit: "count" }),
  fc.constantFrom<unknown>(
    { date: "2026-11-20", type: "HKQuantityTypeIdentifierStepCount", value: 12_034, unit: "km" },
    { date: "2026-13-20", type: "HKQuantityTypeIdentifierStepCount", value: 1, unit: "count" },
    { date: "2026-11-20", type: "HKQuantityTypeIdentifierStepCount", value: -1, unit: "count" },
    { date: "2026-11-20", type: "HKQuantityTypeIdentifierBodyMass", value: 1, unit: "kg" },
    null,
  ),
);
