import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { BatchDecision } from "../../../src/ingest/decide.ts";
import { importFiles } from "../../../src/ingest/import-files.ts";
import { convertHealthAutoExport, type HealthAutoExportBody } from "../../../src/ingest/health-auto-export/door.ts";
import { RECEIVED_AT, samplesOf, throughDoor } from "../../support/ingest/doors.ts";
import { SAMPLES } from "../../support/sample-files.ts";

const folder = mkdtempSync(join(tmpdir(), "hae-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = async (path: string) => {
  const sent: BatchDecision[] = [];
  const publish = async (decision: BatchDecision): Promise<void> => void sent.push(decision);
  const request = { files: [path], athlete_id: "a1", time_zone: null, dry_run: false };
  return { report: await importFiles(request, { publish, clock: { now: () => RECEIVED_AT } }), sent };
};
const file = (name: string, body: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(body, null, 1));
  return path;
};

test("a file that the app wrote is imported as what the app sends is taken", async () => {
  const { report, sent } = await run(join(SAMPLES, "hae/hae_sample.json"));
  expect(report).toMatchObject({ batches: 1, received: 3, accepted: 3, refused: {}, faults: [] });
  expect(sent[0]?.chunks.map(({ topic }) => topic)).toEqual(["backfill"]);
});

const point = (n: number) => ({
  date: new Date(RECEIVED_AT - 86_400_000 + n * 1000).toISOString(),
  qty: n === 4500 ? 1e9 : 60,
  source: "W",
});
const body: HealthAutoExportBody = {
  data: {
    metrics: [{ name: "heart_rate", units: "bpm", data: Array.from({ length: 5000 }, (_, n) => point(n)) }],
    ecg: [{}],
  },
};

const ids = (decisions: BatchDecision[]) => decisions.flatMap(samplesOf).map(({ sample_id }) => sample_id);

test("a large file is cut into batches, with the ids that one request would have given", async () => {
  const { report, sent } = await run(file("large.json", body));
  expect(report).toMatchObject({ batches: 3, received: 5000, accepted: 4999, ignored: { ecg: 1 }, faults: [] });
  const whole = throughDoor(
    "health_auto_export",
    convertHealthAutoExport(body, { aggregation: null, time_zone: null }),
  );
  expect(ids(sent)).toEqual(ids([whole]));
  expect(report.refused["out_of_range"]?.examples).toMatchObject([{ file: "large.json", line: 1 }]);
  expect(sent[2]?.answer.rejected).toMatchObject([{ path: "data.metrics[0].data[4500].qty" }]);
  const again = await run(file("again.json", body));
  expect(again.sent.map(({ answer }) => answer.batch_id)).toEqual(sent.map(({ answer }) => answer.batch_id));
});

test("a file that nests too deep is a fault", async () => {
  let note: unknown = 1;
  for (let level = 0; level < 50; level += 1) note = { note };
  const { report } = await run(file("deep.json", { data: { workouts: [{ note }] } }));
  expect(report).toMatchObject({ batches: 0, faults: [{ detail: expect.stringMatching(/40 levels/) as unknown }] });
});
