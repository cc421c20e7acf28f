import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeExport } from "../../bench/generator/export-xml.ts";
import { measure } from "../../bench/measure.ts";
import type { ImportReport } from "../../src/flow/import-report.ts";
import { importFiles } from "../../src/ingest/import-files.ts";
import type { BatchDecision } from "../../src/ingest/decide.ts";
import { auditEnvironment } from "../support/audit/environment.ts";
import { readTopics } from "../support/audit/topic-log.ts";
import { openCorner } from "../support/corner.ts";
import { MAIN, runCommand, startCommand } from "../support/service/processes.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("import-resume");
const { applyTopics, clock } = await openCorner(here);
const folder = mkdtempSync(join(tmpdir(), "import-resume-"));
const file = join(folder, "export.xml");
beforeAll(async () => {
  writeExport(file, { seed: 3, firstDate: "2025-06-01", sprinkle: true, bytes: 20_000_000 });
  await applyTopics();
});
afterAll(() => rmSync(folder, { recursive: true }));

// Postgres is away all the time: an import needs Kafka and the registry alone, the first time and when it goes on.
const env = { ...here.env, DATABASE_URL: "postgres://nobody@127.0.0.1:1/none", XDG_STATE_HOME: folder };
const args = ["import", file, "--athlete", "anna", "--time-zone", "Europe/Amsterdam", "--json"];
const notesFolder = join(folder, "health-sync", "imports");

const noted = (): number => {
  try {
    const [name] = readdirSync(notesFolder);
    return name === undefined ? 0 : readFileSync(join(notesFolder, name), "utf8").split('"batch"').length - 1;
  } catch {
    return 0;
  }
};

/** Killed once some batches are noted, and long before the last. */
const importAndKill = async (): Promise<number> => {
  const running = startCommand(args, env);
  const state = { over: false };
  void running.exited.then(() => (state.over = true));
  while (noted() < 3 && !state.over) await sleep(2);
  running.signal("SIGKILL");
  expect(await running.exited).toEqual({ code: null, signal: "SIGKILL" });
  return noted();
};

const whole = async (): Promise<{ report: ImportReport; sent: BatchDecision[] }> => {
  const sent: BatchDecision[] = [];
  const publish = async (decision: BatchDecision): Promise<void> => void sent.push(decision);
  const request = { files: [file], athlete_id: "anna", time_zone: "Europe/Amsterdam", dry_run: false };
  return { report: await importFiles(request, { publish, clock }), sent };
};

type Chunk = { series: { samples: { sample_id: string }[] }[] };
const idsOf = (chunks: readonly Chunk[]): string[] =>
  chunks.flatMap(({ series }) => series.flatMap(({ samples }) => samples.map(({ sample_id }) => sample_id)));

test("an import killed in the middle goes on where it stopped: nothing lost, and little sent twice", async () => {
  const before = await importAndKill();
  const second = JSON.parse(await runCommand(args, env)) as ImportReport;
  const { report, sent } = await whole();
  expect({ ...second, resumed: 0, ms: 0 }).toEqual({ ...report, ms: 0 });
  expect(second.resumed).toBe(before);
  expect(before).toBeGreaterThanOrEqual(3);

  const topics = await readTopics(auditEnvironment(here.env), ["backfill", "batches"]);
  const receipts = (topics.get("batches") ?? []).map(({ value }) => (value as { batch_id: string }).batch_id);
  expect(new Set(receipts)).toEqual(new Set(sent.map(({ receipt }) => receipt.batch_id)));
  // Only what was on its way when it was killed came twice: acknowledged, and not noted yet.
  expect(receipts.length - new Set(receipts).size).toBeLessThanOrEqual(4);
  const chunks = (topics.get("backfill") ?? []).map(({ value }) => value as Chunk);
  const expected = sent.flatMap(({ chunks: own }) => idsOf(own.map(({ chunk }) => chunk)));
  expect(new Set(idsOf(chunks))).toEqual(new Set(expected));

  expect(readdirSync(notesFolder)).toEqual([]);
  expect((JSON.parse(await runCommand(args, env)) as ImportReport).resumed).toBe(0);
});

test("I10: an import takes under 300 MB of memory", async () => {
  const { peak_mb } = await measure([MAIN, ...args, "--dry-run"], { ...process.env, ...env });
  expect(peak_mb).toBeGreaterThan(50);
  expect(peak_mb).toBeLessThan(300);
});
