import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImportReport } from "../../src/flow/import-report.ts";
import { importFiles } from "../../src/ingest/import-files.ts";
import { publishBatch } from "../../src/ingest/publish.ts";
import { RegistryAway } from "../../src/io/registry.ts";
import { auditEnvironment } from "../support/audit/environment.ts";
import { readTopics } from "../support/audit/topic-log.ts";
import { openCorner } from "../support/corner.ts";
import { isolated } from "../support/stack.ts";
import { zip } from "../support/zip.ts";

const here = await isolated("import");
const { kafka, codec, topics, clock, applyTopics } = await openCorner(here);
const producer = kafka.producer();
const folder = mkdtempSync(join(tmpdir(), "import-"));
beforeAll(applyTopics);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await producer.close();
});

const SAMPLES = join(import.meta.dirname, "../samples/apple-export");
const deps = { producer, codec, topics, isTransient: (error: unknown) => error instanceof RegistryAway };

const run = (athlete_id: string, files: string[]): Promise<ImportReport> =>
  importFiles(
    { files, athlete_id, time_zone: "Europe/Berlin", dry_run: false },
    { publish: (decision) => publishBatch(deps, decision), clock },
  );

type Sample = { sample_id: string; start_at: number; value: number; synthetic: boolean };
type Chunk = {
  athlete_id: string;
  batch_id: string;
  batch_time_zone: string | null;
  series: { door: string; samples: Sample[] }[];
};
type Receipt = { athlete_id: string; batch_id: string; accepted: number; received: number; rejected: unknown[] };

const read = async (athlete: string) => {
  const all = await readTopics(auditEnvironment(here.env), ["samples", "backfill", "batches", "deadletter"]);
  const of = <T>(name: string): T[] =>
    (all.get(name) ?? [])
      .map(({ value }) => value as T & { athlete_id: string })
      .filter((v) => v.athlete_id === athlete);
  const chunks = of<Chunk>("backfill");
  return {
    live: of("samples"),
    chunks,
    samples: chunks.flatMap(({ series }) => series.flatMap(({ samples }) => samples)),
    receipts: of<Receipt>("batches"),
    letters: of<{ reason: string; payload: Buffer }>("deadletter"),
  };
};

test("what an import says it took stands in the backfill topic, with receipts, and the live topics stay free", async () => {
  const files = readdirSync(SAMPLES).filter((name) => name.endsWith(".xml"));
  const report = await run(
    "all",
    files.map((name) => join(SAMPLES, name)),
  );
  expect(report).toMatchObject({ accepted: 95, received: 95, refused: {}, faults: [] });
  const { live, chunks, samples, receipts } = await read("all");
  expect(live).toEqual([]);
  expect(samples).toHaveLength(95);
  expect(samples.every(({ synthetic }) => synthetic)).toBe(true);
  expect(new Set(chunks.map(({ batch_time_zone }) => batch_time_zone))).toEqual(new Set(["Europe/Berlin"]));
  expect(new Set(chunks.flatMap(({ series }) => series.map(({ door }) => door)))).toEqual(new Set(["apple_export"]));
  expect(receipts).toHaveLength(report.batches);
  expect(receipts.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(95);
});

test("a zip and its xml make the same ids and batches", async () => {
  const text = readFileSync(join(SAMPLES, "iphone6s-2014-v3.xml"), "utf8");
  const path = join(folder, "export.zip");
  writeFileSync(path, zip([{ name: "apple_health_export/Export.xml", text }]));
  await run("twice", [path]);
  await run("twice", [join(SAMPLES, "iphone6s-2014-v3.xml")]);
  const { samples, receipts } = await read("twice");
  expect(samples).toHaveLength(32);
  expect(new Set(samples.map(({ sample_id }) => sample_id)).size).toBe(16);
  expect(new Set(receipts.map(({ batch_id }) => batch_id)).size).toBe(1);
});

const record = (attributes: string): string =>
  `<Record type="HKQuantityTypeIdentifierHeartRate" sourceName="W" ${attributes}/>`;

test("refused records are dead letters, one each, and everything else is taken", async () => {
  const when = 'startDate="2024-01-01 08:00:00 +0200" endDate="2024-01-01 08:00:00 +0200"';
  const text = [
    record(`unit="count/min" value="60" ${when}`),
    record(`unit="count/min" value="9999" ${when}`),
    record(`unit="furlong" value="60" ${when}`),
    record(`unit="count/min" value="sixty" ${when}`),
    record('unit="count/min" value="60" startDate="yesterday" endDate="today"'),
    record('unit="count/min" value="60" startDate="2099-01-01 00:00:00 +0000" endDate="2099-01-01 00:00:00 +0000"'),
    record(`unit="count/min" value="60" ${when}`).replace("HeartRate", "Telepathy"),
  ].join("\n");
  const path = join(folder, "bad.xml");
  writeFileSync(path, `<HealthData>\n${text}\n</HealthData>`);
  const report = await run("bad", [path]);
  expect(report).toMatchObject({ received: 7, accepted: 1 });
  const lines = Object.entries(report.refused).flatMap(([reason, { examples }]) =>
    examples.map(({ line }) => [reason, line]),
  );
  expect(Object.fromEntries(lines)).toEqual({
    out_of_range: 3,
    bad_unit: 4,
    bad_value: 5,
    bad_time: 6,
    future: 7,
    unknown_type: 8,
  });
  const { letters, samples } = await read("bad");
  expect(samples.map(({ value }) => value)).toEqual([60]);
  expect(letters.map(({ reason }) => reason).toSorted()).toEqual(lines.map(([reason]) => String(reason)).toSorted());
});
