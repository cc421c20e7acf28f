import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UNIT_REPORT, check } from "./check.ts";

/**
 * `npm test`: every check, the unit tests among them, then every test of every other level on a real stack. Ends with `tests: N passed, N failed`,
 * where a failed check counts as a failed test, and so does a run that says nothing.
 */
const folder = join(import.meta.dirname, "..", ".cache");
const report = join(folder, "vitest.json");

const vitest = (args: readonly string[]): Promise<number> =>
  new Promise((resolve) => {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const child = spawn("vitest", ["run", ...reporters, ...args], { stdio: "inherit" });
    child.on("error", () => resolve(1));
    child.on("exit", (code) => resolve(code ?? 1));
  });

type Report = { numPassedTests: number; numFailedTests: number; numPendingTests: number };

const readReport = (file: string): Report | null => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return null;
  }
};

mkdirSync(folder, { recursive: true });
for (const file of [UNIT_REPORT, report]) rmSync(file, { force: true });
const failedChecks = await check();
const code = await vitest(["--project", "stack", ...process.argv.slice(2)]);
const reports = [UNIT_REPORT, report].map(readReport);
const sum = (of: (one: Report) => number): number =>
  reports.reduce((all, one) => all + (one === null ? 0 : of(one)), 0);
const passed = sum((one) => one.numPassedTests);
// A skipped test is none that passed: it would hide what it should show.
const failed = sum((one) => one.numFailedTests + one.numPendingTests) + failedChecks.length;
const silent = reports.includes(null) || (code !== 0 && failed === 0) ? 1 : 0;
process.stdout.write(`tests: ${passed} passed, ${failed + silent} failed\n`);
process.exitCode = failed + silent === 0 ? 0 : 1;
