import { expect, test } from "vitest";
import type { ImportReport } from "../../../src/flow/import-report.ts";
import { type ImportCommandDeps, importCommand } from "../../../src/ops/import.ts";
import { progressLine, summaryLines } from "../../../src/ops/import-text.ts";

const example = {
  file: "export.xml",
  line: 7,
  type: "HKQuantityTypeIdentifierHeartRate",
  detail: "value: must be a finite number",
};
const report: ImportReport = {
  batches: 3,
  resumed: 2,
  received: 1204,
  accepted: 1200,
  twins: 5,
  deletions: 1,
  ignored: { ActivitySummary: 2, HKQuantityTypeIdentifierUVExposure: 1500 },
  refused: { bad_value: { count: 4, examples: [example] } },
  faults: [{ file: "export.xml", line: 9, type: null, detail: "line 9: unclosed tag: Record" }],
  records: 2706,
  bytes: 1_500_000,
  ms: 2000,
};

test("the summary says what was taken, ignored by type, refused by reason with examples, and not read", () => {
  expect(summaryLines(report, false)).toEqual([
    "taken     1,200 of 1,204 samples in 3 batches, 1 deletion",
    "resumed   2 of the batches were sent before the interruption",
    "twins     5 (metric, time and source of another record; kept)",
    "ignored   1,502 (types that are not used)",
    "        1,500  HKQuantityTypeIdentifierUVExposure",
    "            2  ActivitySummary",
    "refused   4 (kept as dead letters)",
    "  bad_value: 4",
    "    export.xml, line 7, HKQuantityTypeIdentifierHeartRate: value: must be a finite number",
    "could not be read",
    "    export.xml, line 9: unclosed tag: Record",
    "read      1.5 MB, 2,706 records in 2.0 s (1,353 records/s)",
  ]);
});

test("progress tells how far, how fast and how long still, or that Kafka is waited for", () => {
  const progress = { file: "a.xml", bytes: 25e6, bytes_total: 100e6, records: 50_000, ms: 10_000, waiting: false };
  expect(progressLine(progress)).toBe("a.xml: 25.0 of 100.0 MB, 50,000 records, 5,000 records/s, 30 s left");
  expect(progressLine({ ...progress, waiting: true })).toMatch(/waiting for Kafka to answer$/);
});

const run = async (args: string[], given: ImportReport = report) => {
  const out: string[] = [];
  const codes: number[] = [];
  const waited: string[] = [];
  const requests: unknown[] = [];
  const deps: ImportCommandDeps = {
    run: async (request) => {
      requests.push(request);
      return given;
    },
    waitFor: async (athlete) => void waited.push(athlete),
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => out.push(text), isTTY: false },
    exit: (code) => codes.push(code),
  };
  const command = importCommand(deps)
    .exitOverride()
    .configureOutput({ writeErr: (text) => out.push(text) });
  await command.parseAsync(["node", "import", ...args]);
  return { out: out.join(""), codes, waited, requests };
};

const clean: ImportReport = { ...report, refused: {}, faults: [] };

test("the exit code is 0 only where everything was taken or ignored on purpose", async () => {
  expect((await run(["a.xml", "--athlete", "a1"])).codes).toEqual([1]);
  expect((await run(["a.xml", "--athlete", "a1"], { ...report, refused: {} })).codes).toEqual([1]);
  expect((await run(["a.xml", "--athlete", "a1"], clean)).codes).toEqual([]);
});

test("a file that is no export is one line that says what was expected", async () => {
  const fault = { file: "notes.txt", line: null, type: null, detail: "neither XML, zip nor JSON" };
  const { out, codes } = await run(["notes.txt", "--athlete", "a1"], { ...clean, batches: 0, faults: [fault] });
  expect(out).toBe("notes.txt: neither XML, zip nor JSON\n");
  expect(codes).toEqual([1]);
});

test("the command asks for what its options say, waits when told to, and prints JSON when told to", async () => {
  const args = ["a.xml", "b.zip", "--athlete", "a1", "--time-zone", "Europe/Berlin", "--wait", "--json"];
  const { requests, waited, out } = await run(args, clean);
  expect(requests).toEqual([
    { files: ["a.xml", "b.zip"], athlete_id: "a1", time_zone: "Europe/Berlin", dry_run: false, again: false },
  ]);
  expect(waited).toEqual(["a1"]);
  expect(JSON.parse(out)).toEqual(clean);
  expect((await run(["a.xml", "--athlete", "a1", "--wait", "--dry-run"], clean)).waited).toEqual([]);
});

test.each([
  [["a.xml", "--athlete", "../x"], /--athlete/],
  [["a.xml", "--athlete", "a1", "--time-zone", "Mars/Olympus"], /--time-zone.*Europe\/Amsterdam/s],
  [["a.xml"], /--athlete/],
  [["--athlete", "a1"], /files/],
])("wrong arguments %j are named", async (args, message) => {
  await expect(run(args)).rejects.toThrow(message);
});
