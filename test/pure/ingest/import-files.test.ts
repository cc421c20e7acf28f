import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { BatchDecision } from "../../../src/ingest/decide.ts";
import { importFiles } from "../../../src/ingest/import-files.ts";
import { Unavailable } from "../../../src/ingest/publish.ts";
import { zip } from "../../support/zip.ts";

const SAMPLES = join(import.meta.dirname, "../../samples/apple-export");
const folder = mkdtempSync(join(tmpdir(), "import-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const clock = { now: () => Date.parse("2026-11-21T12:00:00Z") };

const run = async (files: string[], more: { time_zone?: string | null; dry_run?: boolean } = {}) => {
  const sent: BatchDecision[] = [];
  const publish = async (decision: BatchDecision): Promise<void> => void sent.push(decision);
  const request = { files, athlete_id: "a1", time_zone: null, dry_run: false, ...more };
  return { sent, report: await importFiles(request, { publish, clock }) };
};

const taken = (sent: readonly BatchDecision[]) =>
  sent.flatMap(({ chunks }) => chunks.flatMap(({ chunk }) => chunk.series.flatMap((series) => series.samples)));

/** What the files' README says they hold. */
test.each([
  ["multi-source.xml", 49, 0],
  ["partial-sleep.xml", 6, 0],
  ["iphone6s-2014-v3.xml", 16, 0],
  ["healthkit-to-sqlite.xml", 3, 0],
  ["watch-2024.xml", 8, 0],
  ["stateofmind-correlation.xml", 7, 0],
  ["minimal-plus0800.xml", 4, 0],
  ["locale-ru.xml", 2, 0],
])("%s holds %i samples that we take and %i of other types", async (name, accepted, others) => {
  const { report, sent } = await run([join(SAMPLES, name)]);
  const ignored = sent.flatMap(({ answer }) => Object.values(answer.ignored)).reduce((sum, count) => sum + count, 0);
  expect({ accepted: report.accepted, others: ignored }).toEqual({ accepted, others });
  expect(report).toMatchObject({ received: accepted, refused: {}, faults: [] });
  expect(taken(sent)).toHaveLength(accepted);
  expect(taken(sent).every((sample) => sample.synthetic && !sample.time_zone?.startsWith("+"))).toBe(true);
});

test("every sample file of the folder is one of these, or no export", () => {
  expect(readdirSync(SAMPLES).filter((name) => name.endsWith(".xml"))).toHaveLength(8);
});

test("a file imported twice makes the same batches", async () => {
  const path = join(SAMPLES, "iphone6s-2014-v3.xml");
  expect((await run([path])).sent).toEqual((await run([path])).sent);
});

test("the batch's zone is the one asked for; a native batch keeps its own", async () => {
  const batches = [{ samples: [], time_zone: "Asia/Tokyo" }, { samples: [] }].map((batch) => JSON.stringify(batch));
  const { sent } = await run([file("zones.ndjson", batches.join("\n"))], { time_zone: "Europe/Berlin" });
  expect(sent).toHaveLength(2);
  const xml = await run([join(SAMPLES, "watch-2024.xml")], { time_zone: "Europe/Berlin" });
  expect(xml.sent[0]?.chunks[0]?.chunk.batch_time_zone).toBe("Europe/Berlin");
});

const watch = readFileSync(join(SAMPLES, "watch-2024.xml"), "utf8");
const cda = '<?xml version="1.0"?><ClinicalDocument/>';

test("an export.zip is found by its content, under any localised name, beside the clinical copy", async () => {
  const entries = [
    { name: "apple_health_export/export_cda.xml", text: cda },
    { name: "apple_health_export/other.xml", text: cda.padEnd(100_000) },
    { name: "apple_health_export/导出.xml", text: watch },
    { name: "apple_health_export/workout-routes/route.gpx", text: "<gpx/>" },
  ];
  const { report } = await run([file("export.zip", zip(entries))]);
  expect(report).toMatchObject({ accepted: 8, faults: [] });
});

test("an entry that inflates to more than it declares is a fault, and what was read before stands", async () => {
  const text = watch.replace("</HealthData>", `${"<Me/>".repeat(200_000)}</HealthData>`);
  const path = file("lying.zip", zip([{ name: "export.xml", text, declared: 300_000 }]));
  const { report } = await run([path]);
  expect(report.accepted).toBe(8);
  expect(report.faults).toMatchObject([
    { file: "lying.zip", detail: expect.stringMatching(/cannot be read to its end/) as unknown },
  ]);
});

test("a truncated export is reported with its line, and what was read before stands", async () => {
  const cut = watch.slice(0, watch.indexOf("HKQuantityTypeIdentifierAppleExerciseTime"));
  const { report } = await run([file("cut.xml", cut)]);
  expect(report).toMatchObject({ accepted: 4, faults: [{ file: "cut.xml", line: expect.any(Number) as unknown }] });
});

test.each<[string, string | Uint8Array, RegExp]>([
  ["empty.xml", "", /empty/],
  ["cda.xml", cda, /export_cda/],
  ["notes.txt", "Hello", /expected Apple's export.zip or export.xml/],
  ["photo.png", Buffer.from([0x89, 0x50, 0x4e, 0x47]), /expected Apple's export.zip or export.xml/],
  [
    "none.zip",
    zip([{ name: "apple_health_export/export_cda.xml", text: cda }]),
    /no XML file with the root element HealthData/,
  ],
  ["cut.zip", zip([{ name: "export.xml", text: watch }]).subarray(0, 200), /damaged or incomplete/],
  ["hae.json", '{"data":{"metrics":7}}', /no Health Auto Export file: data.metrics/],
  ["other.json", '{"records":[]}', /samples is required/],
  ["broken.json", '{"samples":[', /not valid JSON/],
])("%s is a fault that says what was expected", async (name, content, message) => {
  const { report, sent } = await run([file(name, content)]);
  expect(sent).toEqual([]);
  expect(report.faults).toMatchObject([{ file: name }]);
  expect(report.faults[0]?.detail).toMatch(message);
});

test("a missing file and a folder are faults, and the next file is read", async () => {
  const { report } = await run([join(folder, "missing.xml"), folder, join(SAMPLES, "watch-2024.xml")]);
  expect(report.faults.map(({ detail }) => detail)).toEqual([
    "no such file",
    expect.stringMatching(/not a file|EISDIR/),
  ]);
  expect(report.accepted).toBe(8);
});

const heart = {
  uuid: "11111111-1111-4111-8111-111111111111",
  type: "HKQuantityTypeIdentifierHeartRate",
  start: "2026-11-21T06:00:00Z",
  end: "2026-11-21T06:00:00Z",
  value: 57,
  unit: "count/min",
};

test("native batches come as NDJSON or as one document; a bad line does not stop the next", async () => {
  const batch = { batch_id: "b1", samples: [heart], deleted: [{ uuid: heart.uuid }] };
  const pretty = await run([file("batch.json", JSON.stringify(batch, null, 2))]);
  expect(pretty.sent.map(({ answer }) => answer)).toMatchObject([{ batch_id: "b1", accepted: 1, deletions: 1 }]);
  expect(taken(pretty.sent)).toMatchObject([{ sample_id: heart.uuid, synthetic: false }]);
  const lines = [JSON.stringify(batch), "", "{nonsense", '{"samples":3}', JSON.stringify({ ...batch, batch_id: "b2" })];
  const { report, sent } = await run([file("batches.ndjson", lines.join("\r\n"))]);
  expect(sent.map(({ answer }) => answer.batch_id)).toEqual(["b1", "b2"]);
  expect(report.faults.map(({ line }) => line)).toEqual([3, 4]);
});

const bad = (index: number) => ({ ...heart, value: 1000 + index });

test("refused samples are counted by reason with up to three examples that hold no values", async () => {
  const body = { samples: [0, 1, 2, 3].map(bad) };
  const { report, sent } = await run([file("bad.json", JSON.stringify(body))]);
  expect(report).toMatchObject({ received: 4, accepted: 0, refused: { out_of_range: { count: 4 } } });
  expect(report.refused["out_of_range"]?.examples).toHaveLength(3);
  expect(JSON.stringify({ ...report, ms: 0 })).not.toMatch(/100\d/);
  expect(Buffer.from(sent[0]?.dead_letters[3]?.payload ?? []).toString()).toBe(JSON.stringify(bad(3)));
});

test("a dry run decides and sends nothing", async () => {
  const { report, sent } = await run([join(SAMPLES, "watch-2024.xml")], { dry_run: true });
  expect(sent).toEqual([]);
  expect(report.accepted).toBe(8);
});

const many = `<HealthData>${Array.from(
  { length: 30_000 },
  (_, index) =>
    `<Record type="HKQuantityTypeIdentifierStepCount" sourceName="W" unit="count" startDate="2024-01-01 0${index % 10}:${10 + (index % 50)}:${10 + (index % 49)} +0000" endDate="2024-01-01 10:00:00 +0000" value="1"/>`,
).join("\n")}</HealthData>`;

test("a bounded number of batches is under way at once, and a batch is sent again while Kafka is away", async () => {
  let running = 0;
  let most = 0;
  let refusals = 3;
  const publish = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    if (refusals > 0) {
      refusals -= 1;
      throw new Unavailable("away");
    }
  };
  const waits: boolean[] = [];
  const request = { files: [file("many.xml", many)], athlete_id: "a1", time_zone: null, dry_run: false };
  const report = await importFiles(request, { publish, clock, onProgress: ({ waiting }) => waits.push(waiting) });
  expect(report).toMatchObject({ batches: 15, accepted: 30_000 });
  expect(most).toBeLessThanOrEqual(4);
  expect(waits).toContain(true);
});

const stayingAway = (): Promise<void> => Promise.reject(new Unavailable("Kafka is away"));

test("an import gives up with Kafka's own words when it stays away", async () => {
  const request = { files: [file("many.xml", many)], athlete_id: "a1", time_zone: null, dry_run: false };
  await expect(importFiles(request, { publish: stayingAway, clock, patience_ms: 300 })).rejects.toThrow(
    "Kafka is away",
  );
});

test("batches that an interrupted import has sent are counted as ever and not sent again", async () => {
  const path = file("many.xml", many);
  const { sent: all, report: whole } = await run([path]);
  const before = new Set(all.slice(0, 9).map(({ receipt }) => receipt.batch_id));
  const sent: BatchDecision[] = [];
  const report = await importFiles(
    { files: [path], athlete_id: "a1", time_zone: null, dry_run: false },
    {
      publish: async (decision) => void sent.push(decision),
      isSent: ({ receipt }) => before.has(receipt.batch_id),
      clock,
    },
  );
  expect(sent).toEqual(all.slice(9));
  expect({ ...report, resumed: 0, ms: 0 }).toEqual({ ...whole, ms: 0 });
  expect(report.resumed).toBe(9);
});

test("records with the metric, time and source of another are taken, under ids of their own, and counted as twins", async () => {
  const twin = /<Record type="HKQuantityTypeIdentifierHeartRate"[\s\S]*?<\/Record>/.exec(watch)?.[0] ?? "";
  const text = watch.replace(twin, `${twin}${twin}${twin}`);
  const { report, sent } = await run([file("twins.xml", text)]);
  expect(report).toMatchObject({ accepted: 10, twins: 2 });
  expect(new Set(taken(sent).map(({ sample_id }) => sample_id)).size).toBe(10);
});
