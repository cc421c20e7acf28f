import * as fc from "fast-check";
import { expect, test } from "vitest";
import { digest } from "../../../src/flow/digest.ts";
import { numbering, type Numbered } from "../../../src/ingest/apple-export/numbering.ts";
import { exportParts } from "../../../src/ingest/apple-export/parts.ts";
import { isoOfAppleDate, nativeSample, readDevice } from "../../../src/ingest/apple-export/record.ts";
import { seenKeys } from "../../../src/ingest/apple-export/seen-keys.ts";
import type { ImportPart } from "../../../src/ingest/import-part.ts";
import { recordId } from "../../../src/domain/ids.ts";

async function* once(text: string, size = 1 << 16): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const parts = async (text: string, size?: number): Promise<ImportPart[]> => {
  const all: ImportPart[] = [];
  for await (const list of exportParts(once(text, size), { athlete_id: "a1", time_zone: null }, digest)) {
    for (const found of list) if (found.kind === "part") all.push(found.part);
  }
  return all;
};

type Row = { second: number; value: number; source: string };

const heartRate = ({ second, value, source }: Row): string => {
  const at = new Date(1_700_000_000_000 + second * 1000).toISOString().replace("T", " ").replace(".000Z", " +0000");
  return `<Record type="HKQuantityTypeIdentifierHeartRate" sourceName="${source}" unit="count/min" startDate="${at}" endDate="${at}" value="${value}"/>`;
};
const document = (rows: readonly Row[]): string => `<HealthData>\n${rows.map(heartRate).join("\n")}\n</HealthData>`;

type Sample = { uuid: string; start: string; value: number; source: { name: string } };
const samplesOf = (all: readonly ImportPart[]): Sample[] => all.flatMap(({ body }) => (body.samples ?? []) as Sample[]);
const pairs = (all: readonly ImportPart[]): string[] =>
  samplesOf(all)
    .map(({ uuid, value }) => `${uuid} ${value}`)
    .toSorted();

const rows = fc.array(
  fc.record({
    second: fc.integer({ min: 0, max: 40 }),
    value: fc.integer({ min: 50, max: 60 }),
    source: fc.constantFrom("Watch", "Athlete’s iPhone", "Athlete's iPhone"),
  }),
  { maxLength: 60 },
);

test("equal keys are numbered in order of value, whatever the order of the file", async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.infiniteStream(fc.nat()), async (list, keys) => {
      const shuffled = list
        .map((row) => ({ row, key: keys.next().value ?? 0 }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ row }) => row);
      const ids = samplesOf(await parts(document(list))).map(({ uuid }) => uuid);
      expect(new Set(ids).size).toBe(list.length);
      expect(pairs(await parts(document(shuffled), 100))).toEqual(pairs(await parts(document(list))));
    }),
  );
});

test("the ids are those of D10: whole seconds, the normalised source, no value, n from 0", async () => {
  const text = document([
    { second: 0, value: 61, source: "Athlete’s iPhone" },
    { second: 0, value: 60, source: "Athlete's iPhone" },
  ]);
  const at = 1_700_000_000_000;
  const key = {
    athlete_id: "a1",
    metric: "heart_rate",
    start_at: at,
    end_at: at,
    source: "Athlete's iPhone",
    value: null,
  };
  expect(samplesOf(await parts(text)).map(({ uuid, value }) => [uuid, value])).toEqual([
    [recordId({ ...key, n: 0 }, digest), 60],
    [recordId({ ...key, n: 1 }, digest), 61],
  ]);
});

test("equal keys far apart get different ids too", () => {
  const key = { athlete_id: "a1", metric: "steps", start_at: 0, end_at: 0, source: "Watch", value: null };
  const all: Numbered<number>[] = [];
  const ids = numbering<number>(digest, (numbered) => all.push(numbered), 2);
  for (let index = 0; index < 50; index += 1)
    ids.add({ item: index, key: { ...key, end_at: (index % 10) * 1000, n: 0 }, value: 1 });
  ids.flush();
  expect(new Set(all.map(({ uuid }) => uuid)).size).toBe(50);
  expect(all.map(({ item }) => item).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 50 }, (_, index) => index),
  );
});

const uuid = (index: number): string => digest.sha256(String(index)).slice(0, 36);

test("seen keys are counted exactly, metric by metric, while their tables grow", () => {
  const keys = seenKeys();
  for (const round of [0, 1, 2]) {
    for (let index = 0; index < 5000; index += 1) expect(keys.add("steps", uuid(index), 1)).toBe(round);
  }
  expect(keys.add("heart_rate", uuid(0), 3)).toBe(0);
  expect(keys.add("heart_rate", uuid(0), 1)).toBe(3);
});

test("when there is no more room the metric not seen for longest is forgotten, and one that fills it all starts again", () => {
  const keys = seenKeys(512);
  for (const metric of ["steps", "flights", "steps"]) keys.add(metric, uuid(0), 1);
  keys.add("heart_rate", uuid(0), 1);
  expect(keys.add("steps", uuid(0), 1)).toBe(2);
  expect(keys.add("flights", uuid(0), 1)).toBe(0);
  const small = seenKeys(16);
  expect(small.add("steps", uuid(0), 2)).toBe(0);
  for (let index = 1; index < 13; index += 1) small.add("steps", uuid(index), 1);
  expect(small.add("steps", uuid(0), 1)).toBe(0);
});

test("a batch has 2,000 samples, and its id depends on its content only", async () => {
  const many = Array.from({ length: 4500 }, (_, second) => ({ second, value: 60, source: "Watch" }));
  const first = await parts(document(many), 1000);
  expect(first.map(({ body }) => body.samples?.length)).toEqual([2000, 2000, 500]);
  expect(await parts(document(many))).toMatchObject(first.map(({ body_hash }) => ({ body_hash })));
  expect(first[1]?.lineOf(0)).toBe(2002);
});

test("the offset of an export's date is part of the instant, in both spellings", () => {
  expect(isoOfAppleDate("2024-01-01 08:00:00 +0200")).toBe("2024-01-01T08:00:00+02:00");
  expect(isoOfAppleDate("20140104084300-0800")).toBe("2014-01-04T08:43:00-08:00");
  expect(isoOfAppleDate("1 January 2024")).toBe("1 January 2024");
});

test("a device is its model and hardware, without the address that differs on every row", () => {
  const text =
    "<<HKDevice: 0x3012772a0>, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,7, software:10.2>";
  expect(readDevice(text)).toEqual({ device: "Watch", product_type: "Watch6,7" });
  expect(readDevice("<<HKDevice: 0x0>, name:Band, model:>")).toEqual({ device: null, product_type: null });
  expect(readDevice("Some other text")).toEqual({ device: null, product_type: null });
  expect(readDevice(undefined)).toEqual({ device: null, product_type: null });
});

const value = (text: string) =>
  nativeSample({ kind: "record", element: "Record", line: 1, attributes: { value: text }, metadata: [] }).value;

test("a value that is no number stays as it was written, to be refused by name", () => {
  expect([value("72"), value("-1.5e2"), value(".5"), value("72,5"), value("0x10"), value("")]).toEqual([
    72,
    -150,
    0.5,
    "72,5",
    "0x10",
    null,
  ]);
});
