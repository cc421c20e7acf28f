import * as fc from "fast-check";
import { expect, test } from "vitest";
import { digest } from "../../../src/flow/digest.ts";
import { numbering, type Unnumbered } from "../../../src/ingest/apple-export/numbering.ts";
import type { ExportRecord } from "../../../src/ingest/apple-export/document.ts";
import { nativeSample } from "../../../src/ingest/apple-export/record.ts";
import { readSample } from "../../../src/ingest/read-sample.ts";
import { recordKey } from "../../../src/ingest/record-key.ts";

const DOOR = { name: "apple_export", synthetic: true };
const DEVICE = "<<HKDevice: 0x1>, name:Apple Watch, model:Watch, hardware:Watch6,7>";

const some = (...texts: string[]) => fc.option(fc.constantFrom(...texts), { nil: undefined });
const attributes = fc.record({
  type: some("HKQuantityTypeIdentifierHeartRate", "HKQuantityTypeIdentifierStepCount", "StepCount", "HeartRate", "?"),
  sourceName: some("W", "Anna’s Watch", "Anna's\u00a0Watch", ""),
  source: some("iPhone"),
  device: some(DEVICE, DEVICE.replace("0x1", "0x2"), DEVICE.replace("Watch6,7", "Watch7,5"), "x"),
  unit: some("count/min", "count", ""),
  value: some("60", "61", "x", ""),
  recordCount: some("3"),
  creationDate: some("2024-01-01 08:00:09 +0100", "y"),
  startDate: some("2024-01-01 08:00:00 +0100", "20140104084300-0800", "z"),
  endDate: some("2024-01-01 08:00:00 +0100", "2024-01-01 08:00:01 +0100", "20140104084300-0800"),
});
const metadata = fc.array(fc.tuple(fc.constantFrom("HKTimeZone", "k", "__proto__"), fc.constantFrom("UTC", "1")), {
  maxLength: 2,
});

const recordOf = (sent: Record<string, string | undefined>, entries: [string, string][]): ExportRecord => ({
  kind: "record",
  element: "Record",
  line: 1,
  attributes: Object.fromEntries(
    Object.entries(sent).filter((pair): pair is [string, string] => pair[1] !== undefined),
  ),
  metadata: entries,
});

test("a record is read alike in a run of others of its source and all by itself", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(attributes, metadata), { maxLength: 12 }), (rows) => {
      for (const [sent, entries] of rows) {
        const sample = { ...nativeSample(recordOf(sent, entries)), uuid: "4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a11" };
        // Parsed again, nothing of it is an object that was seen before.
        const alone: unknown = JSON.parse(JSON.stringify(sample));
        expect(readSample(sample, DOOR)).toEqual(readSample(alone, DOOR));
        const from = { athlete_id: "a1", door: DOOR.name };
        expect(recordKey(sample, from)).toEqual(recordKey(alone as typeof sample, from));
        expect(sample.source).toMatchObject({ name: sent.sourceName ?? sent.source ?? null });
      }
    }),
  );
});

const KEY = { athlete_id: "a1", metric: "steps", start_at: 0, source: "W", value: null, n: 0 };

test("records leave in the order of the first of their equals, equals in order of value", () => {
  const row = fc.tuple(fc.nat(6), fc.nat(3));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), fc.integer({ min: 1, max: 8 }), (rows, reach) => {
      const left: number[][] = [];
      const ids = numbering<number>(digest, ({ item, n }) => left.push([item, n]), reach);
      const records = rows.map(([second, value], item): Unnumbered<number> => ({
        item,
        value,
        key: { ...KEY, end_at: second * 1000 },
      }));
      for (const record of records) ids.add(record);
      ids.flush();

      // The same by lists that are searched through from the start.
      const expected: number[][] = [];
      const counts = new Map<number, number>();
      let waiting: Unnumbered<number>[] = [];
      const release = (): void => {
        const at = waiting[0]?.key.end_at ?? 0;
        for (const one of waiting.filter(({ key }) => key.end_at === at).toSorted((a, b) => a.value - b.value)) {
          const n = counts.get(at) ?? 0;
          counts.set(at, n + 1);
          expected.push([one.item, n]);
        }
        waiting = waiting.filter(({ key }) => key.end_at !== at);
      };
      for (const record of records) {
        waiting.push(record);
        while (waiting.length > reach) release();
      }
      while (waiting.length > 0) release();
      expect(left).toEqual(expected);
    }),
  );
});
