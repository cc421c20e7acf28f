import * as fc from "fast-check";
import { parquetMetadata } from "hyparquet";
import { expect, test } from "vitest";
import type { Sample } from "../../../src/domain/sample.ts";
import { sha256Hex } from "../../../src/flow/digest.ts";
import type { StreamRow } from "../../../src/domain/sleep/streams.ts";
import { compareRows } from "../../../src/domain/merge.ts";
import { compareStreamRows, rowsHash, streamHash } from "../../../src/flow/rows-hash.ts";
import { parquetFormat } from "../../../src/io/parquet.ts";
import { daySamples } from "../../support/day-samples.ts";

const {
  encodeDay,
  decodeDay,
  decodeMetric,
  decodeIds,
  encodeMonth,
  metricRange,
  decodeRange,
  decodeSeries,
  seriesRange,
  encodeSleep,
  decodeSleep,
} = parquetFormat;

const one: Sample = {
  athlete_id: "a1",
  sample_id: "00112233-4455-6677-8899-aabbccddeeff",
  metric: "heart_rate",
  start_at: 1_764_000_000_000,
  end_at: 1_764_000_000_000,
  value: 57,
  unit: "count/min",
  source: "Watch",
  device: null,
  tz: "Europe/Amsterdam",
  local_date: "2025-11-24",
  attributes: {},
  received_at: 1_764_000_100_000,
};

/** Members in another order, as another build or database might hand them over. */
const reversedKeys = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([key, member]) => [key, reversedKeys(member)]),
      )
    : value;

test("a day reads back as it was written, sorted by metric, start, end and id", () => {
  fc.assert(
    fc.property(daySamples(), (samples) => {
      expect(decodeDay(encodeDay(samples))).toEqual(samples.toSorted(compareRows));
    }),
  );
});

test("equal rows give equal bytes and an equal hash, in whatever order they come", () => {
  fc.assert(
    fc.property(daySamples(), fc.infiniteStream(fc.nat()), (samples, keys) => {
      const shuffled = samples
        .map((each) => ({ key: keys.next().value as number, each }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ each }) => reversedKeys(each) as Sample);
      expect(sha256Hex(encodeDay(shuffled))).toBe(sha256Hex(encodeDay(samples)));
      expect(rowsHash(shuffled)).toBe(rowsHash(samples));
      expect(rowsHash(decodeDay(encodeDay(samples)))).toBe(rowsHash(samples));
    }),
  );
});

test.each<[string, Partial<Sample>]>([
  ["value", { value: 58 }],
  ["end_at", { end_at: one.end_at + 1 }],
  ["device", { device: "" }],
  ["attributes", { attributes: { motion_context: 1 } }],
  ["received_at", { received_at: one.received_at + 1 }],
])("another %s is another rows_hash", (_, change) => {
  expect(rowsHash([{ ...one, ...change }])).not.toBe(rowsHash([one]));
});

test("minus zero is zero, in the bytes and in the hash", () => {
  expect(rowsHash([{ ...one, value: -0 }])).toBe(rowsHash([{ ...one, value: 0 }]));
  expect(encodeDay([{ ...one, value: -0 }])).toEqual(encodeDay([{ ...one, value: 0 }]));
});

test("one metric has the rows of it only, in order", () => {
  fc.assert(
    fc.property(daySamples(), (samples) => {
      const bytes = encodeDay(samples);
      for (const metric of ["heart_rate", "steps", "absent"]) {
        const rows = decodeDay(bytes).filter((each) => each.metric === metric);
        expect(decodeMetric(bytes, metric)).toEqual(rows);
      }
      expect(decodeIds(bytes).toSorted()).toEqual(samples.map((each) => each.sample_id).toSorted());
    }),
  );
});

/** Metrics with fewer and with more rows than a row group of their own needs. */
const month = (counts: Record<string, number>): Sample[] =>
  Object.entries(counts).flatMap(([metric, count], m) =>
    Array.from({ length: count }, (_, n) => ({
      ...one,
      metric,
      sample_id: `00000000-0000-4000-8000-${String(m * 100_000 + n).padStart(12, "0")}`,
      start_at: one.start_at + n * 60_000,
      end_at: one.start_at + n * 60_000,
      value: (n * 7) % 101,
    })),
  );

test("a month gives each large metric a row group of its own, which its footer finds without the file", () => {
  const samples = month({ active_energy: 1500, body_mass: 3, flights: 900, heart_rate: 2000, steps: 10, weight: 1 });
  const { body, footer } = encodeMonth(samples.toReversed());
  expect(decodeDay(body)).toEqual(decodeDay(encodeDay(samples)));
  for (const metric of ["active_energy", "body_mass", "flights", "heart_rate", "steps", "weight"]) {
    const range = metricRange(footer, metric);
    if (range === null) throw new Error(`no range for ${metric}`);
    const part = { bytes: body.subarray(range.from, range.to), from: range.from };
    const rows = decodeRange(footer, part, metric);
    expect(rows).toEqual(samples.filter((row) => row.metric === metric));
    expect(decodeMetric(body, metric)).toEqual(rows);
  }
  expect(metricRange(footer, "zinc")).toBeNull();
  const [energy, heart] = [metricRange(footer, "active_energy"), metricRange(footer, "heart_rate")];
  expect((energy?.to ?? 0) - (energy?.from ?? 0)).toBeLessThan(body.length / 2);
  expect(energy?.to).toBeLessThanOrEqual(heart?.from ?? 0);
  expect(footer.length).toBeLessThan(body.length / 10);
});

test("equal rows of a month give equal bytes in any order", () => {
  const samples = month({ heart_rate: 1200, steps: 40 });
  const shuffled = samples.toSorted((a, b) => (a.value - b.value) * 13 + (a.start_at % 7) - (b.start_at % 7));
  expect(encodeMonth(shuffled)).toEqual(encodeMonth(samples));
});

test("bytes in the middle of a larger buffer decode too", () => {
  const bytes = encodeDay([one]);
  const larger = new Uint8Array(bytes.length + 20);
  larger.set(bytes, 7);
  expect(decodeDay(larger.subarray(7, 7 + bytes.length))).toEqual([one]);
});

test("an empty day and an id that stands twice are refused", () => {
  expect(() => encodeDay([])).toThrow("at least one row");
  expect(() => encodeDay([one, { ...one, value: 1 }])).toThrow("twice");
});

test("the layout is the measured one: encodings, codecs, statistics and one row group a day", () => {
  const samples = Array.from({ length: 500 }, (_, index) => ({
    ...one,
    sample_id: `00112233-4455-6677-8899-${String(index).padStart(12, "0")}`,
    metric: index % 2 ? "heart_rate" : "steps",
    start_at: one.start_at + index * 1000,
    end_at: one.start_at + index * 1000,
    device: index % 3 ? "Watch7,5" : null,
  }));
  const bytes = encodeDay(samples);
  const metadata = parquetMetadata(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
  );
  expect(metadata.row_groups).toHaveLength(1);
  expect(metadata.created_by).toBe("health-sync");
  const columns = (metadata.row_groups[0]?.columns ?? []).map(({ meta_data }) => [
    meta_data?.path_in_schema.join("."),
    meta_data?.encodings.at(-1),
    meta_data?.codec,
    meta_data?.statistics?.min_value !== undefined,
  ]);
  expect(columns).toEqual([
    ["athlete_id", "RLE_DICTIONARY", "ZSTD", false],
    ["metric", "RLE_DICTIONARY", "ZSTD", true],
    ["unit", "RLE_DICTIONARY", "ZSTD", false],
    ["source", "RLE_DICTIONARY", "ZSTD", false],
    ["device", "RLE_DICTIONARY", "ZSTD", false],
    ["tz", "RLE_DICTIONARY", "ZSTD", false],
    ["local_date", "RLE_DICTIONARY", "ZSTD", true],
    ["start_at", "DELTA_BINARY_PACKED", "ZSTD", true],
    ["end_at", "DELTA_BINARY_PACKED", "ZSTD", true],
    ["value", "RLE_DICTIONARY", "ZSTD", false],
    ["attributes", "RLE_DICTIONARY", "ZSTD", false],
    ["sample_id", "PLAIN", "UNCOMPRESSED", false],
  ]);
  expect(metadata.row_groups[0]?.columns.some((column) => column.offset_index_offset !== undefined)).toBe(false);
});

const SESSION = "00112233-4455-6677-8899-aabbccddeeff";
const stream = fc.array(
  fc.record<StreamRow>({
    session_id: fc.constant(SESSION),
    channel: fc.constantFrom("sleep_stage", "heart_rate", "hrv"),
    start_at: fc.integer({ min: 1_764_000_000_000, max: 1_764_000_000_003 }),
    end_at: fc.integer({ min: 1_764_000_000_003, max: 1_764_000_000_006 }),
    value: fc.constantFrom(0, 1, 57.25),
    source: fc.constantFrom("Watch", "iPhone ✓"),
  }),
  { minLength: 1 },
);

test("a sleep stream reads back as it was written, and equal rows give equal bytes and an equal hash", () => {
  fc.assert(
    fc.property(stream, (rows) => {
      const bytes = encodeSleep(rows);
      expect(decodeSleep(bytes)).toEqual(rows.toSorted(compareStreamRows));
      expect(sha256Hex(encodeSleep(rows.toReversed()))).toBe(sha256Hex(bytes));
      expect(streamHash(rows.toReversed())).toBe(streamHash(rows));
    }),
  );
});

test("a stream without rows is no object", () => {
  expect(() => encodeSleep([])).toThrow(RangeError);
});

const seriesOf = (rows: readonly Sample[], by: "local_date" | "start_at") => ({
  at: rows.map((row) => (by === "start_at" ? row.start_at : Date.parse(row.local_date) / 86_400_000)),
  values: rows.map((row) => row.value),
});

test.each(["local_date", "start_at"] as const)("a series read as columns is its rows': values by %s", (by) => {
  fc.assert(
    fc.property(daySamples(), fc.constantFrom("heart_rate", "steps", "spo2", "weight"), (samples, metric) => {
      const rows = samples.toSorted(compareRows).filter((row) => row.metric === metric);
      const month = encodeMonth(samples);
      const range = seriesRange(month.footer, metric);
      const day = decodeSeries({ bytes: encodeDay(samples), from: 0, footer: null }, metric, by);
      const parts = [day];
      if (range !== null) {
        const bytes = month.body.slice(range.from, range.to);
        parts.push(decodeSeries({ bytes, from: range.from, footer: month.footer }, metric, by));
      }
      expect(range !== null || rows.length === 0).toBe(true);
      for (const { at, values } of parts)
        expect({ at: Array.from(at), values: Array.from(values) }).toEqual(seriesOf(rows, by));
    }),
  );
});

test("a month's series is read from a fraction of its bytes, without ids and attributes", () => {
  const beats = Array.from({ length: 3000 }, (_, n): Sample => {
    const start_at = one.start_at + n * 60_000;
    const sample_id = `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
    return { ...one, sample_id, start_at, end_at: start_at, value: 50 + (n % 60) };
  });
  const steps = beats.map((row): Sample => ({
    ...row,
    sample_id: row.sample_id.replace("8000", "9000"),
    metric: "steps",
  }));
  const { body, footer } = encodeMonth([...beats, ...steps]);
  const range = seriesRange(footer, "heart_rate");
  expect(range).not.toBeNull();
  expect((range?.to ?? 0) - (range?.from ?? 0)).toBeLessThan(body.length / 8);
});
