import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type InterpretInput, fateOf, interpret, interpretDaily } from "../../src/domain/interpret.ts";
import type { Sample } from "../../src/domain/sample.ts";
import { HR, NO_SETTINGS, STEPS, at, sent, uuid } from "./make.ts";

const taken = (input: InterpretInput): Sample => {
  const result = interpret(input);
  if (result.kind !== "ok") throw new Error(JSON.stringify(result));
  return result.value;
};
const refused = (input: InterpretInput) => {
  const result = interpret(input);
  return result.kind === "dead" ? [result.reason, result.field] : result.kind;
};

test("a sample becomes its canonical row", () => {
  const input = sent({
    sample_id: "ABCDEF00-0000-4000-8000-000000000001",
    time_zone: "Europe/Amsterdam",
    created: at("2026-03-10T12:00:05Z"),
    metadata: `{"HKMetadataKeyHeartRateMotionContext":"1","x":1}`,
    batch_time_zone: "UTC",
    series: {
      source_name: "Anna\u2019s\u00a0Watch",
      bundle_id: "com.apple.health.1",
      product_type: "Watch7,5",
      device: "Watch",
    },
  });
  expect(taken(input)).toEqual({
    athlete_id: "a1",
    sample_id: "abcdef00-0000-4000-8000-000000000001",
    metric: "heart_rate",
    start_at: at("2026-03-10T12:00:00Z"),
    end_at: at("2026-03-10T12:00:00Z"),
    value: 57,
    unit: "count/min",
    source: "Anna's Watch",
    device: "Watch",
    tz: "Europe/Amsterdam",
    local_date: "2026-03-10",
    received_at: at("2026-03-10T13:00:00Z"),
    attributes: {
      created: at("2026-03-10T12:00:05Z"),
      bundle_id: "com.apple.health.1",
      product_type: "Watch7,5",
      device_class: "watch",
      motion_context: 1,
      door: "native",
      type: HR,
      value_received: 57,
      unit_received: "count/min",
      zone_sent: "Europe/Amsterdam",
      batch_zone: "UTC",
      tz_source: "sample",
      metadata: { x: 1 },
    },
  });
});

test("units are read on every sample", () => {
  expect(taken(sent({ value: 1, unit: "count/s" })).value).toBe(60);
  expect(taken(sent({ value: 61, unit: "bpm" })).value).toBe(61);
  expect(taken(sent({ value: 1, unit: "count/s", min: 0.5, max: 2 })).attributes).toMatchObject({ min: 30, max: 120 });
  expect(Object.is(taken(sent({ type: STEPS, unit: "count", value: -0 })).value, 0)).toBe(true);
});

test("aggregates, series and sync fields are kept", () => {
  const { attributes } = taken(
    sent({ aggregated: true, synthetic: true, count: 3, group_id: "g", sync_id: "s", sync_version: 2, min: NaN }),
  );
  expect(attributes).toMatchObject({
    aggregated: true,
    synthetic: true,
    count: 3,
    group_id: "g",
    sync_id: "s",
    sync_version: 2,
  });
  expect("min" in attributes).toBe(false);
});

test("sync fields of the sample come before those of its metadata", () => {
  const metadata = `{"HKSyncIdentifier":"m","HKSyncVersion":9}`;
  expect(taken(sent({ metadata })).attributes).toMatchObject({ sync_id: "m", sync_version: 9 });
  expect(taken(sent({ metadata, sync_id: "s", sync_version: 1 })).attributes).toMatchObject({
    sync_id: "s",
    sync_version: 1,
  });
});

test("a sample without a source name has an empty one", () => {
  const row = taken(sent({ series: { source_name: null } }));
  expect([row.source, row.device, row.attributes.device_class]).toEqual(["", null, "device"]);
});

test("a person's entry is manual, by field or by metadata", () => {
  for (const over of [{ user_entered: true }, { metadata: `{"HKWasUserEntered":1}` }])
    expect(taken(sent(over)).attributes).toMatchObject({ user_entered: true, device_class: "manual" });
});

test("unusual values are kept and flagged", () => {
  expect(taken(sent({ value: 25, time_zone: "UTC" })).attributes.flags).toEqual(["soft_range"]);
  expect(taken(sent({ value: 250, time_zone: "UTC" })).attributes.flags).toEqual(["soft_range"]);
  const burst = sent({ type: STEPS, unit: "count", value: 329, end_at: at("2026-03-10T12:00:05Z"), time_zone: "UTC" });
  expect(taken(burst).attributes.flags).toEqual(["high_rate"]);
  expect(taken(sent()).attributes).toMatchObject({ tz_source: "utc", flags: ["zone_assumed"] });
});

test("each fault is refused with its reason and the field it is in (D5)", () => {
  const cases: [Parameters<typeof sent>[0], [string, string] | string][] = [
    [{ type: "HKQuantityTypeIdentifierUVExposure" }, "ignored"],
    [{ type: "HKQuantityTypeIdentifierMoonPhase" }, ["unknown_type", "type"]],
    [{ sample_id: "x" }, ["bad_uuid", "uuid"]],
    [{ end_at: at("2026-03-10T11:59:59Z") }, ["end_before_start", "end"]],
    [{ end_at: at("2026-03-14T12:00:00.001Z") }, ["too_long", "end"]],
    [{ end_at: at("2026-03-14T12:00:00Z") }, "ok"],
    [{ received_at: at("2026-03-09T11:59:59Z") }, ["future", "start"]],
    [{ received_at: at("2026-03-09T12:00:00Z") }, "ok"],
    [{ value: NaN }, ["bad_value", "value"]],
    [{ value: -Infinity }, ["bad_value", "value"]],
    [{ value: 19.9 }, ["out_of_range", "value"]],
    [{ value: 300.1 }, ["out_of_range", "value"]],
    [{ value: 1.7e308, unit: "count/s" }, ["out_of_range", "value"]],
    [{ unit: null }, ["bad_unit", "unit"]],
    [{ unit: "constructor" }, ["bad_unit", "unit"]],
    [{ unit: "IU".repeat(100) }, ["bad_unit", "unit"]],
    [{ type: STEPS, unit: "count", value: -1 }, ["out_of_range", "value"]],
    [{ type: STEPS, unit: "count", value: 50_001 }, ["out_of_range", "value"]],
    [{ time_zone: "Mars/Olympus" }, ["bad_time", "time_zone"]],
    [{ batch_time_zone: "+25:00" }, ["bad_time", "time_zone"]],
    [{ created: -1 }, ["bad_time", "created"]],
    [{ metadata: "[" }, ["bad_value", "metadata"]],
    [{ metadata: `{"a":${"[".repeat(99)}${"]".repeat(99)}}` }, ["too_deep", "metadata"]],
  ];
  for (const [over, expected] of cases) expect([over, refused(sent(over))]).toEqual([over, expected]);
});

test("times outside 1970 to 2099 are bad times and never an exception", () => {
  for (const time of [
    -1,
    at("1900-01-01T00:00:00Z"),
    at("2100-01-01T00:00:00Z"),
    8.7e15,
    9e18,
    -9e18,
    0.5,
    NaN,
    Infinity,
  ]) {
    expect(refused(sent({ start_at: time, end_at: time }))).toEqual(["bad_time", "start"]);
    expect(refused(sent({ end_at: time }))).toEqual(["bad_time", "end"]);
    expect(refused(sent({ received_at: time }))).toEqual(["bad_time", "received_at"]);
  }
});

const numbers = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, 60, 9e18, -9e18, at("2026-03-10T12:00:00Z")));
const texts = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(HR, STEPS, "count", "UTC", "+99:99", uuid(3), `{"HKTimeZone":"\\u0000"}`),
);
const maybe = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(some, { nil: null });

test("whatever a chunk can hold gets an answer, and what is taken survives a round trip through JSON", () => {
  const input = fc.record({
    type: fc.oneof(fc.constantFrom(HR, STEPS), texts),
    unit: fc.oneof(fc.constantFrom("count", "bpm"), maybe(texts)),
    sample_id: fc.oneof(fc.constant(uuid(1)), texts),
    start_at: numbers,
    end_at: numbers,
    value: numbers,
    received_at: numbers,
    time_zone: maybe(texts),
    batch_time_zone: maybe(texts),
    created: maybe(numbers),
    sync_version: maybe(numbers),
    sync_id: maybe(texts),
    min: maybe(numbers),
    metadata: maybe(fc.oneof(texts, fc.json())),
    series: fc.record({ source_name: maybe(texts), bundle_id: maybe(texts), device: maybe(texts), door: texts }),
  });
  fc.assert(
    fc.property(input, (over) => {
      const result = interpret(sent(over));
      expect(JSON.parse(JSON.stringify(result))).toEqual(result);
      // What the edge accepts by is what staging stores by.
      const fate = fateOf(sent(over));
      expect(result).toMatchObject(result.kind === "ok" ? { kind: fate.kind } : fate);
    }),
    { numRuns: 2000 },
  );
});

test("the local date of a sample does not depend on the door it came through", () => {
  const zones = fc.constantFrom("UTC", "Asia/Tokyo", "America/Los_Angeles", "+05:30");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), zones, fc.string(), fc.string(), (start_at, time_zone, a, b) => {
      const over = { start_at, end_at: start_at, received_at: start_at, time_zone };
      const through = (door: string) => taken(sent({ ...over, series: { door } })).local_date;
      expect(through(a)).toBe(through(b));
      const metadata = JSON.stringify({ HKTimeZone: time_zone });
      expect(taken(sent({ ...over, time_zone: null, metadata, batch_time_zone: a })).local_date).toBe(through(b));
    }),
  );
});

/** What was sent, from the row alone. */
const again = ({ attributes: a, ...row }: Sample): InterpretInput => ({
  athlete_id: row.athlete_id,
  received_at: row.received_at,
  batch_time_zone: a.batch_zone ?? null,
  settings: NO_SETTINGS,
  series: {
    type: a.type ?? "",
    unit: a.unit_received ?? null,
    source_name: row.source,
    bundle_id: a.bundle_id ?? null,
    product_type: a.product_type ?? null,
    device: row.device,
    door: a.door ?? "",
  },
  sample: {
    sample_id: row.sample_id,
    synthetic: a.synthetic ?? false,
    start_at: row.start_at,
    end_at: row.end_at,
    value: a.value_received ?? NaN,
    time_zone: a.zone_sent ?? null,
    created: a.created ?? null,
    sync_id: a.sync_id ?? null,
    sync_version: a.sync_version ?? null,
    user_entered: a.user_entered ?? false,
    count: a.count ?? null,
    min: null,
    max: null,
    aggregated: a.aggregated ?? false,
    group_id: a.group_id ?? null,
    metadata: JSON.stringify({ ...a.metadata, HKHeartRateMotionContext: a.motion_context ?? null }),
  },
});

test("a row holds all that is needed to interpret it again", () => {
  const row = taken(
    sent({
      value: 1.1,
      unit: "count/s",
      batch_time_zone: "Asia/Tokyo",
      metadata: `{"HKTimeZone":"Mars","HKMetadataKeyHeartRateMotionContext":2,"HKWasUserEntered":1}`,
      series: { bundle_id: "b", product_type: "p", device: "d" },
    }),
  );
  const { metadata: _, ...attributes } = taken(again(row)).attributes;
  const { metadata: __, ...before } = row.attributes;
  expect({ ...taken(again(row)), attributes }).toEqual({ ...row, attributes: before });
});

const daily = { date: 20_522, type: STEPS, value: 12_034, unit: "count" };
const noon = at("2026-03-10T12:00:00Z");

test("a daily total becomes the provider's value of the athlete metric", () => {
  expect(interpretDaily(daily, noon)).toEqual({
    kind: "ok",
    value: {
      date: "2026-03-10",
      metric: "steps",
      value: 12_034,
      unit: "count",
      value_received: 12_034,
      unit_received: "count",
    },
  });
});

test("a daily total that cannot be one is refused with its reason and field", () => {
  const cases: [Partial<typeof daily>, [string, string] | string][] = [
    [{ type: "HKQuantityTypeIdentifierUVExposure" }, "ignored"],
    [{ type: HR }, ["unknown_type", "type"]],
    [{ type: "Steps" }, ["unknown_type", "type"]],
    [{ date: -1 }, ["bad_time", "date"]],
    [{ date: 2 ** 31 - 1 }, ["bad_time", "date"]],
    [{ date: NaN }, ["bad_time", "date"]],
    [{ date: 20_525 }, ["future", "date"]],
    [{ date: 20_524 }, "ok"],
    [{ value: Infinity }, ["bad_value", "value"]],
    [{ value: -1 }, ["out_of_range", "value"]],
    [{ unit: "km" }, ["bad_unit", "unit"]],
  ];
  for (const [over, expected] of cases) {
    const result = interpretDaily({ ...daily, ...over }, noon);
    expect([over, result.kind === "dead" ? [result.reason, result.field] : result.kind]).toEqual([over, expected]);
  }
  expect(interpretDaily(daily, 9e18)).toMatchObject({ reason: "bad_time" });
});
