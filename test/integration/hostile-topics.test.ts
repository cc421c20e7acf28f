import { beforeAll, expect, test } from "vitest";
import type { SampleChunk, SentSample, SentSeries } from "../../src/domain/sample.ts";
import { openCorner } from "../support/corner.ts";
import { isolated } from "../support/stack.ts";
import { NOON, RECEIVED, aChunk, aSent, aSeries, heartRates, uuid } from "../support/staging/chunks.ts";
import { openRig } from "../support/staging/rig.ts";

const here = await isolated("hostile-topics");
const rig = openRig(here, await openCorner(here, 1));
const { codec, db, producer, topics } = rig;
beforeAll(() => rig.applyTopics());

const topic = topics("samples");
const ME = "a1";
const DAY = 86_400_000;
const encode = (chunk: SampleChunk): Promise<Buffer> => codec.encode(topic, chunk);

/** A chunk without entries ends in three empty lists: where a list may claim what is not there. */
const EMPTY = heartRates([], { series: [] });
const claiming = async (...tail: number[]): Promise<Buffer> =>
  Buffer.concat([(await encode(EMPTY)).subarray(0, -3), Buffer.from(tail)]);
const MILLIONS = [0x80, 0x88, 0xde, 0xbe, 0x01];

type Sent = { key?: string | null; value: Buffer | null };
type Case = readonly [name: string, sent: () => Promise<Sent>, fate: string];

const bytes = (name: string, value: () => Promise<Buffer | null> | Buffer | null, fate: string): Case => [
  name,
  async () => ({ value: await value() }),
  fate,
];
const cut = (name: string, change: (good: Buffer) => Buffer, fate: string): Case =>
  bytes(name, async () => change(Buffer.from(await encode(heartRates([{}])))), fate);

const FRAMES: Case[] = [
  bytes("no value, as for a compacted topic", () => null, "bad_frame "),
  bytes("an empty value", () => Buffer.alloc(0), "bad_frame value"),
  bytes("one byte", () => Buffer.of(0), "bad_frame value"),
  bytes("a frame around nothing", () => Buffer.alloc(5), "bad_frame value"),
  bytes("JSON", () => Buffer.from(JSON.stringify(EMPTY)), "bad_frame value"),
  bytes("a native batch", () => Buffer.from('{"samples":[]}'), "bad_frame value"),
  bytes("text of many kilobytes", () => Buffer.from("x".repeat(300_000)), "bad_frame value"),
  cut("another magic byte", (good) => Buffer.concat([Buffer.of(1), good.subarray(1)]), "bad_frame value"),
  cut("Avro without its frame", (good) => Buffer.concat([Buffer.of(4), good.subarray(6)]), "bad_frame value"),
  cut("a schema id that nobody has", (good) => (good.writeInt32BE(2_000_000_000, 1), good), "unknown_schema value"),
  cut("a schema id below zero", (good) => (good.writeInt32BE(-1, 1), good), "unknown_schema value"),
  cut("the schema of another topic", (good) => (good.writeInt32BE(foreign, 1), good), "unknown_schema value"),
  cut("a frame and no payload", (good) => good.subarray(0, 6), "bad_payload value"),
  cut("the last byte missing", (good) => good.subarray(0, -1), "bad_payload value"),
  cut("half of it", (good) => good.subarray(0, good.length / 2), "bad_payload value"),
  cut("a byte too many", (good) => Buffer.concat([good, Buffer.of(0)]), "bad_payload value"),
  cut("zeros behind it", (good) => Buffer.concat([good, Buffer.alloc(100_000)]), "bad_payload value"),
  cut(
    "ones in place of it",
    (good) => Buffer.concat([good.subarray(0, 5), Buffer.alloc(64, 0xff)]),
    "bad_payload value",
  ),
  bytes("200 million series in six bytes", () => claiming(...MILLIONS, 0), "bad_payload value"),
  bytes("200 million deletions in six bytes", () => claiming(0, ...MILLIONS, 0), "bad_payload value"),
  bytes("200 million totals in six bytes", () => claiming(0, 0, ...MILLIONS), "bad_payload value"),
  bytes("a list whose size leads backwards", () => claiming(1, 5, 2, 0, 0, 0), "bad_payload value"),
  bytes(
    "a list that counts below every number",
    () => claiming(...Array<number>(9).fill(0xff), 1, 0),
    "bad_payload value",
  ),
  bytes("a number without end", () => claiming(...Array<number>(40).fill(0xff)), "bad_payload value"),
];

const chunk = (name: string, over: Partial<SampleChunk>, fate: string, key: string | null = ME): Case => [
  name,
  async () => ({ key, value: await encode(heartRates([{}], over)) }),
  fate,
];
const CHUNKS: Case[] = [
  chunk("another athlete's key", {}, "wrong_key key", "a2"),
  chunk("no key", {}, "wrong_key key", null),
  chunk("an empty key", {}, "wrong_key key", ""),
  chunk("a key in another case", {}, "wrong_key key", "A1"),
  chunk("a key with a space", {}, "wrong_key key", "a1 "),
  chunk("a path as athlete", { athlete_id: "../a1" }, "bad_payload athlete_id", "../a1"),
  chunk("an athlete with a null character", { athlete_id: "a\0" }, "bad_payload athlete_id", "a\0"),
  chunk("an athlete without name", { athlete_id: "" }, "bad_payload athlete_id", ""),
  chunk("an athlete of 65 letters", { athlete_id: "a".repeat(65) }, "bad_payload athlete_id", "a".repeat(65)),
  chunk("received before 1970", { received_at: -1 }, "bad_payload received_at"),
  chunk("received in the year 2100", { received_at: Date.UTC(2100, 0, 1) }, "bad_payload received_at"),
  chunk("received after the end of time", { received_at: 8.64e15 + 1 }, "bad_payload received_at"),
];

const nested = (levels: number): string => '{"a":'.repeat(levels) + "1" + "}".repeat(levels);
let ids = 100;
const sample = (name: string, over: Partial<SentSample>, fate: string, series: Partial<SentSeries> = {}): Case =>
  bytes(name, () => encode(aChunk({ series: [aSeries([aSent({ sample_id: uuid(ids++), ...over })], series)] })), fate);
const own = (field: string): string => `series[0].samples[0].${field}`;
const SAMPLES: Case[] = [
  sample("an id that is none", { sample_id: "my sample" }, `bad_uuid ${own("uuid")}`),
  sample("an empty id", { sample_id: "" }, `bad_uuid ${own("uuid")}`),
  sample("an id with a null character", { sample_id: `${uuid(1)}\0` }, `bad_uuid ${own("uuid")}`),
  sample("NaN", { value: Number.NaN }, `bad_value ${own("value")}`),
  sample("endlessly many", { value: Infinity }, `bad_value ${own("value")}`),
  sample("less than everything", { value: -Infinity }, `bad_value ${own("value")}`),
  sample("the largest number", { value: Number.MAX_VALUE }, `out_of_range ${own("value")}`),
  sample("less than nothing", { value: -57 }, `out_of_range ${own("value")}`),
  sample("a start before 1970", { start_at: -DAY, end_at: 0 }, `bad_time ${own("start")}`),
  sample("a start after the end of time", { start_at: 8.7e15, end_at: 8.7e15 }, `bad_time ${own("start")}`),
  sample("an end before its start", { end_at: NOON - 1 }, `end_before_start ${own("end")}`),
  sample("a month", { start_at: NOON - 30 * DAY, end_at: NOON }, `too_long ${own("end")}`),
  sample(
    "a sample of the day after",
    { start_at: RECEIVED + 2 * DAY, end_at: RECEIVED + 2 * DAY },
    `future ${own("start")}`,
  ),
  sample("a type that is none", {}, `unknown_type ${own("type")}`, { type: "HKQuantityTypeIdentifierTelepathy" }),
  sample("the name of every object", {}, `unknown_type ${own("type")}`, { type: "__proto__" }),
  sample("a unit of something else", {}, `bad_unit ${own("unit")}`, { unit: "kg" }),
  sample("no unit", {}, `bad_unit ${own("unit")}`, { unit: null }),
  sample("metadata that is no JSON", { metadata: "{" }, `bad_value ${own("metadata")}`),
  sample("metadata that is a list", { metadata: "[1]" }, `bad_value ${own("metadata")}`),
  sample("metadata a hundred levels deep", { metadata: nested(100) }, `too_deep ${own("metadata")}`),
  sample("metadata ten thousand levels deep", { metadata: nested(10_000) }, `too_deep ${own("metadata")}`),
];

const others = (name: string, over: Partial<SampleChunk>, fate: string): Case =>
  bytes(name, () => encode(aChunk(over)), fate);
const total = { date: 20_521, type: "HKQuantityTypeIdentifierStepCount", value: 1000, unit: "count" };
const OTHERS: Case[] = [
  others("a deletion without id", { deletions: [{ sample_id: "", type: null }] }, "bad_uuid deletions[0].uuid"),
  others("a deletion of a name", { deletions: [{ sample_id: "x", type: "y" }] }, "bad_uuid deletions[0].uuid"),
  others("a total of NaN", { daily: [{ ...total, value: Number.NaN }] }, "bad_value daily[0].value"),
  others("a total below zero", { daily: [{ ...total, value: -1 }] }, "out_of_range daily[0].value"),
  others("a total in metres", { daily: [{ ...total, unit: "m" }] }, "bad_unit daily[0].unit"),
  others("a total of a type that is none", { daily: [{ ...total, type: "steps" }] }, "unknown_type daily[0].type"),
  others("a total of the year 5000", { daily: [{ ...total, date: 1_106_000 }] }, "bad_time daily[0].date"),
];

const CASES: readonly Case[] = [...FRAMES, ...CHUNKS, ...SAMPLES, ...OTHERS];
let foreign = 0;

test("the table of bad records has at least 60, each under a name of its own", () => {
  expect(CASES.length).toBeGreaterThanOrEqual(60);
  expect(new Set(CASES.map(([name]) => name)).size).toBe(CASES.length);
});

test("whoever produces to the topics wrongly gets one dead letter a record with its reason and path, and holds nobody up", async () => {
  const touched = { athlete_id: ME, dates: [], reason: "sample" };
  foreign = (await codec.encode(topics("windows"), touched)).readInt32BE(1);
  const sent = [];
  for (const [name, make] of CASES) {
    const { key = ME, value } = await make().catch((cause: unknown) => {
      throw new Error(name, { cause });
    });
    sent.push({ topic, key, value });
  }
  const good = { topic, key: ME, value: await encode(heartRates([{ sample_id: uuid(7) }])) };
  await producer.send([...sent, good] as Parameters<typeof producer.send>[0]);
  const worker = await rig.work({ only: ["samples"] });
  await rig.applied("staging", ["samples"]);
  await worker.stop();
  expect(worker.fatal).toEqual([]);
  const letters = await db.query<{ at: number; fate: string }>(
    `select (value->'origin'->>'offset')::int as at, concat(value->>'reason', ' ', value->>'path') as fate
     from outbox where topic = $1 order by 1`,
    [topics("deadletter")],
  );
  expect(letters.map(({ at, fate }) => `${CASES[at]?.[0]}: ${fate}`)).toEqual(
    CASES.map(([name, , fate]) => `${name}: ${fate}`),
  );
  expect(await db.query(`select sample_id from health_samples_staging`)).toEqual([{ sample_id: uuid(7) }]);
});
