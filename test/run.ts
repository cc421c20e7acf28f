import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { check } from "./check.ts";

/**
 * `npm test`: every check, then every test of every level on a real stack. Ends with `tests: N passed, N failed`,
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

const readReport = (): Report | null => {
  try {
    return JSON.parse(readFileSync(report, "utf8")) as Report;
  } catch {
    return null;
  }
};

mkdirSync(folder, { recursive: true });
rmSync(report, { force: true });
const failedChecks = await check();
const code = await vitest(process.argv.slice(2));
const result = readReport();
const passed = result?.numPassedTests ?? 0;
// A skipped test is none that passed: it would hide what it should show.
const failed = (result?.numFailedTests ?? 0) + (result?.numPendingTests ?? 0) + failedChecks.length;
const silent = passed === 0 || (code !== 0 && failed === 0) ? 1 : 0;
process.stdout.write(`tests: ${passed} passed, ${failed + silent} failed\n`);
process.exitCode = failed + silent === 0 ? 0 : 1;
