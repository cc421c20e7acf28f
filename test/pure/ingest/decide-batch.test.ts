import avro from "avsc";
import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { digest } from "../../../src/flow/digest.ts";
import type { BatchBody } from "../../../src/ingest/batch-body.ts";
import { type BatchContext, decideBatch } from "../../../src/ingest/decide.ts";
import { anyDaily, anyDeletion, anySample, goodSample, RECEIVED_AT } from "./arbitrary.ts";

const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../avro/sample-chunk.avsc"), "utf8"),
) as avro.Schema;
const chunkType = avro.Type.forSchema(schema, { wrapUnions: "never" });

const context: BatchContext = {
  athlete_id: "a1",
  received_at: RECEIVED_AT,
  door: "native",
  kind: "http",
  body_hash: "00",
};
const decide = (body: BatchBody, more: Partial<BatchContext> = {}) =>
  decideBatch(body, { ...context, ...more }, digest);

const heart = {
  uuid: "11111111-1111-4111-8111-111111111111",
  type: "HKQuantityTypeIdentifierHeartRate",
  start: "2026-11-21T06:00:00.1239Z",
  end: "2026-11-21T06:00:00.1239Z",
  value: 57,
  unit: "count/min",
  source: { name: "Watch", bundle_id: "com.apple.health.X", product_type: "Watch7,5" },
  metadata: { HKTimeZone: "Europe/Amsterdam", HKWasUserEntered: 0 },
};

const bodies = fc.record({
  samples: fc.array(anySample, { maxLength: 40 }),
  deleted: fc.array(anyDeletion, { maxLength: 5 }),
  daily: fc.array(anyDaily, { maxLength: 5 }),
});

test("every sample has one fate: accepted + rejected = received, ignored types stand apart", () => {
  fc.assert(
    fc.property(bodies, (body) => {
      const { answer, chunks } = decide(body);
      const rejected = answer.rejected.filter(({ path }) => path.startsWith("samples["));
      expect(answer.accepted + rejected.length).toBe(answer.received);
      const sent = chunks.flatMap(({ chunk }) => chunk.series.flatMap((series) => series.samples));
      expect(sent).toHaveLength(answer.accepted);
      const deletions = chunks.flatMap(({ chunk }) => chunk.deletions);
      expect(deletions).toHaveLength(answer.deletions);
      const ignored = Object.values(answer.ignored).reduce((sum, count) => sum + count, 0);
      const daily = chunks.flatMap(({ chunk }) => chunk.daily).length;
      const entries = body.samples.length + body.deleted.length + body.daily.length;
      expect(answer.accepted + answer.deletions + answer.rejected.length + ignored + daily).toBe(entries);
    }),
  );
});

test("each rejection is exactly one dead letter, with its own id, path and reason", () => {
  fc.assert(
    fc.property(bodies, (body) => {
      const { answer, dead_letters } = decide(body);
      expect(dead_letters.map(({ path, reason }) => [path, reason])).toEqual(
        answer.rejected.map(({ path, reason }) => [path, reason]),
      );
      expect(new Set(dead_letters.map(({ id }) => id)).size).toBe(dead_letters.length);
    }),
  );
});

test("a bad sample changes nothing for its neighbours", () => {
  fc.assert(
    fc.property(fc.array(goodSample, { maxLength: 20 }), fc.array(anySample, { maxLength: 20 }), (good, others) => {
      const alone = decide({ samples: good });
      const beside = decide({ samples: [...others, ...good] });
      const idsOf = (decision: typeof alone): string[] =>
        decision.chunks.flatMap(({ chunk }) =>
          chunk.series.flatMap((s) => s.samples.map((sample) => sample.sample_id)),
        );
      expect(idsOf(beside)).toEqual(expect.arrayContaining(idsOf(alone)));
    }),
  );
});

test("a chunk holds at most 500 entries and 256 KiB as Avro really encodes it", () => {
  fc.assert(
    fc.property(fc.array(goodSample, { maxLength: 30 }), fc.integer({ min: 1, max: 60 }), (samples, times) => {
      const many = Array.from({ length: times }, () => samples).flat();
      const { chunks } = decide({ samples: many, deleted: many.map(({ uuid }) => ({ uuid })) });
      for (const [index, { chunk }] of chunks.entries()) {
        expect(chunk.chunk).toBe(index);
        const count = chunk.series.reduce((sum, { samples: list }) => sum + list.length, 0);
        expect(count + chunk.deletions.length).toBeLessThanOrEqual(500);
        expect(chunkType.toBuffer(chunk).length + 5).toBeLessThanOrEqual(256 * 1024);
      }
    }),
    { numRuns: 30 },
  );
});

test("the same batch decided twice is the same, and duplicates count as accepted", () => {
  const body = { samples: [heart, heart] };
  expect(decide(body)).toEqual(decide(body));
  expect(decide(body).answer).toMatchObject({ received: 2, accepted: 2, rejected: [] });
});

test("a batch without an id gets one from its athlete, door and body", () => {
  const id = decide({ samples: [heart] }).answer.batch_id;
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  expect(decide({ samples: [] }).answer.batch_id).toBe(id);
  expect(decide({ samples: [heart] }, { body_hash: "01" }).answer.batch_id).not.toBe(id);
  expect(decide({ samples: [heart] }, { athlete_id: "a2" }).answer.batch_id).not.toBe(id);
});

test("a chunk holds what was sent: unit and value as they came, zone evidence and sync keys in their fields", () => {
  const metadata = {
    HKTimeZone: "Asia/Tokyo",
    HKMetadataKeySyncIdentifier: "s1",
    HKSyncVersion: "3",
    Note: "a\u0000b",
    Half: "c\uD800",
  };
  const { chunks } = decide({
    time_zone: "Europe/Amsterdam",
    samples: [{ ...heart, uuid: heart.uuid.toUpperCase(), value: 1.5, unit: "count/s", time_zone: "+02:00", metadata }],
  });
  expect(chunks).toMatchObject([
    { topic: "samples", chunk: { athlete_id: "a1", provider: "apple_health", batch_time_zone: "Europe/Amsterdam" } },
  ]);
  const series = chunks[0]?.chunk.series[0];
  expect(series).toMatchObject({ type: heart.type, unit: "count/s", source_name: "Watch", door: "native" });
  expect(series?.samples[0]).toMatchObject({
    sample_id: heart.uuid,
    synthetic: false,
    start_at: Date.parse("2026-11-21T06:00:00.123Z"),
    value: 1.5,
    time_zone: "Asia/Tokyo",
    sync_id: "s1",
    sync_version: 3,
    user_entered: false,
    metadata: JSON.stringify({ Note: "ab", Half: "c\uFFFD" }),
  });
});

test("what ended over 48 hours ago, and every import, goes the slow way", () => {
  const old = { ...heart, start: "2026-11-19T11:59:59Z", end: "2026-11-19T11:59:59Z" };
  const edge = { ...heart, start: "2026-11-19T12:00:00Z", end: "2026-11-19T12:00:00Z" };
  expect(decide({ samples: [old] }).chunks.map(({ topic }) => topic)).toEqual(["backfill"]);
  expect(decide({ samples: [edge] }).chunks.map(({ topic }) => topic)).toEqual(["samples"]);
  const body = { samples: [heart], deleted: [{ uuid: heart.uuid }] };
  expect(decide(body, { kind: "import" }).chunks.map(({ topic }) => topic)).toEqual(["backfill"]);
});

const deep = (levels: number): unknown => (levels === 0 ? 1 : { in: deep(levels - 1) });

test.each([
  ["samples[0]", "bad_value", 3],
  ["samples[0].uuid", "missing_uuid", { ...heart, uuid: undefined }],
  ["samples[0].uuid", "bad_uuid", { ...heart, uuid: "1234" }],
  ["samples[0].type", "unknown_type", { ...heart, type: "HKQuantityTypeIdentifierNothing" }],
  ["samples[0].start", "bad_time", { ...heart, start: "2026-11-21T06:00:00" }],
  ["samples[0].start", "bad_time", { ...heart, start: "2026-02-29T06:00:00Z" }],
  ["samples[0].end", "bad_time", { ...heart, end: 1_795_240_800_000 }],
  ["samples[0].end", "end_before_start", { ...heart, end: "2026-11-21T05:00:00Z" }],
  ["samples[0].end", "too_long", { ...heart, start: "2026-11-15T05:00:00Z", end: "2026-11-21T05:00:00Z" }],
  ["samples[0].start", "future", { ...heart, start: "2026-11-22T13:00:00Z", end: "2026-11-22T13:00:00Z" }],
  ["samples[0].value", "bad_value", { ...heart, value: "57" }],
  ["samples[0].unit", "bad_unit", { ...heart, unit: "km" }],
  ["samples[0].value", "out_of_range", { ...heart, value: 500 }],
  ["samples[0].source.name", "bad_value", { ...heart, source: { name: 1 } }],
  ["samples[0].time_zone", "bad_time", { ...heart, metadata: {}, time_zone: "Mars/Olympus" }],
  ["samples[0]", "too_large", { ...heart, metadata: { note: "x".repeat(262_144) } }],
  ["samples[0].metadata", "too_deep", { ...heart, metadata: deep(5000) }],
])("a sample is refused with its path and reason: %s %s", (path, reason, sample) => {
  const { answer, dead_letters } = decide({ samples: [sample, heart] }, { sent: () => "as sent" });
  expect(answer).toMatchObject({ received: 2, accepted: 1, rejected: [{ index: 0, path, reason }] });
  expect(dead_letters).toMatchObject([{ path, reason, athlete_id: "a1", content_type: "application/json" }]);
  expect(Buffer.from(dead_letters[0]?.payload ?? []).toString()).toBe("as sent");
});

test("refused deletions and daily values are named by path, have index −1 and stay out of the counts", () => {
  const daily = { date: "2026-11-20", type: "HKQuantityTypeIdentifierStepCount", value: 1, unit: "km" };
  const { answer, dead_letters } = decide({ deleted: [{ uuid: "x" }, { uuid: heart.uuid }], daily: [daily] });
  expect(answer).toMatchObject({ received: 0, accepted: 0, deletions: 1 });
  expect(answer.rejected).toMatchObject([
    { index: -1, uuid: "x", reason: "bad_uuid", path: "deleted[0].uuid" },
    { index: -1, uuid: null, reason: "bad_unit", path: "daily[0].unit" },
  ]);
  expect(dead_letters).toHaveLength(2);
});

test("types that Apple documents and we do not use are counted, without a dead letter", () => {
  const { answer, dead_letters } = decide({ samples: [{ type: "HKQuantityTypeIdentifierUVExposure" }, heart] });
  expect(answer).toMatchObject({ received: 1, accepted: 1, ignored: { HKQuantityTypeIdentifierUVExposure: 1 } });
  expect(dead_letters).toEqual([]);
});
