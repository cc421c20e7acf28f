import * as fc from "fast-check";
import type { Attributes, Sample } from "../../src/domain/sample.ts";

const DAY = Date.UTC(2025, 10, 24);

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).map((value) => value.toWellFormed());
const attributes: fc.Arbitrary<Attributes> = fc
  .record(
    {
      motion_context: fc.integer({ min: 0, max: 2 }),
      sync_id: text,
      user_entered: fc.constant(true as const),
      flags: fc.array(text, { maxLength: 2 }),
      value_received: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      unit_received: fc.option(text),
      metadata: fc.dictionary(
        text.filter((key) => key !== "__proto__"),
        fc.oneof(text, fc.integer(), fc.array(text)),
      ),
    },
    { requiredKeys: [] },
  )
  .map((record) => structuredClone(record));

const sample: fc.Arbitrary<Sample> = fc
  .record({
    sample_id: fc.uuid(),
    metric: fc.constantFrom("heart_rate", "steps", "spo2"),
    start_at: fc.integer({ min: DAY - 86_400_000, max: DAY + 86_400_000 }),
    length: fc.integer({ min: 0, max: 3_600_000 }),
    value: fc.oneof(
      fc.integer({ min: 0, max: 200 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    ),
    unit: fc.constantFrom("count/min", "count", ""),
    source: text,
    device: fc.option(text),
    tz: fc.constantFrom("Europe/Amsterdam", "+05:30"),
    local_date: fc.constantFrom("2025-11-23", "2025-11-24", "0001-01-01", "9999-12-31"),
    attributes,
    received_at: fc.integer({ min: DAY, max: DAY + 1_000_000_000 }),
  })
  .map(({ length, ...rest }) => Object.assign(rest, { athlete_id: "a-1_2", end_at: rest.start_at + length }));

/** Samples of one day with unique ids, in no order. */
export const daySamples = (size: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<Sample[]> =>
  fc.uniqueArray(sample, { minLength: 1, maxLength: 60, ...size, selector: (each) => each.sample_id });
