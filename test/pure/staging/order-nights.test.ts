import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { SampleChunk, SentSample } from "../../../src/domain/sample.ts";
import { aChunk, aSent, aSeries, NOON, RECEIVED, replayed, uuid } from "../../support/staging/chunks.ts";
import { Tables } from "../../support/staging/tables.ts";

const SLEEP = "HKCategoryTypeIdentifierSleepAnalysis";
const SOURCES = [
  { source_name: "Anna’s Watch", bundle_id: "com.apple.health.1", product_type: "Watch7,5", device: "Watch" },
  { source_name: "AutoSleep", bundle_id: "org.example.sleep", product_type: null, device: null },
];

/** Copies of few segments that agree in all but what stands beside the value: each combination may come. */
const segment: fc.Arbitrary<SentSample> = fc
  .record({
    n: fc.constantFrom(1, 2, 3),
    value: fc.constantFrom(3, 4),
    time_zone: fc.constantFrom(null, "Europe/Amsterdam", "America/New_York"),
    created: fc.constantFrom(null, RECEIVED - 2000, RECEIVED - 1000),
    user_entered: fc.boolean(),
    count: fc.constantFrom(null, 2),
    group_id: fc.constantFrom(null, "g"),
    metadata: fc.constantFrom(null, `{"a":1}`, `{"b":[1,2],"a":1}`),
  })
  .map(({ n, ...said }) =>
    aSent({ ...said, sample_id: uuid(0xd0 + n), start_at: NOON + n * 60_000, end_at: NOON + (n + 1) * 60_000 }),
  );

const chunks: fc.Arbitrary<SampleChunk[]> = fc.array(
  fc
    .record({
      n: fc.nat(9),
      received: fc.nat(2),
      zone: fc.constantFrom(null, "Asia/Tokyo"),
      source: fc.constantFrom(...SOURCES),
      samples: fc.array(segment, { minLength: 1, maxLength: 4 }),
    })
    .map(({ n, received, zone, source, samples }) =>
      aChunk({
        batch_id: `b${n}`,
        received_at: RECEIVED + received * 60_000,
        batch_time_zone: zone,
        series: [aSeries(samples, { type: SLEEP, unit: null, ...source })],
      }),
    ),
  { minLength: 1, maxLength: 6 },
);

const after = (batches: readonly (readonly SampleChunk[])[]): Tables => {
  const tables = new Tables();
  for (const batch of batches) tables.apply(batch);
  return tables;
};

test("of copies of a segment that differ in what stands beside the value, the same one stays in any order, repetition and split", () => {
  fc.assert(
    fc.property(
      chunks.chain((all) => fc.tuple(fc.constant(all), replayed(all))),
      ([all, batches]) => {
        const once = after([all]).state();
        expect(JSON.stringify(once)).toContain("sleep_analysis");
        expect(after(batches).state()).toEqual(once);
      },
    ),
    { numRuns: 1000 },
  );
}, 60_000);
