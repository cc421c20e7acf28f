import { spawn } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

/** What the unit tests said, for whoever counts tests. */
export const UNIT_REPORT = join(import.meta.dirname, "..", ".cache", "unit.json");
const REPORTERS = ["--reporter=default", "--reporter=json", `--outputFile.json=${UNIT_REPORT}`];

/** Everything of CI that needs no stack: types, lint, format, architecture, unused exports and dependencies. */
const CHECKS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["types", "tsc", "--noEmit"],
  ["lint", "oxlint", "--type-aware", "--deny-warnings", "src", "test", "stack", "bench", "examples"],
  ["format", "oxfmt", "--check", "src", "test", "stack", "bench", "examples"],
  ["architecture", "vitest", "run", "--project", "unit", "test/architecture.test.ts", "--silent"],
  ["unit tests, domain and flow covered", "vitest", "run", "--project", "unit", "--coverage", "--silent", ...REPORTERS],
  ["unused", "knip", "--no-progress"],
];

type Result = { name: string; ok: boolean; output: string; seconds: number };

const run = (name: string, command: string, args: readonly string[]): Promise<Result> =>
  new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const collect = (bytes: Buffer): void => {
      output += bytes.toString();
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", (error) => resolve({ name, ok: false, output: String(error), seconds: 0 }));
    child.on("exit", (code) =>
      resolve({ name, ok: code === 0, output, seconds: (performance.now() - started) / 1000 }),
    );
  });

/** Runs the checks one after the other and answers the names of those that failed. */
export const check = async (): Promise<string[]> => {
  const failed: string[] = [];
  for (const [name, command, ...args] of CHECKS) {
    const result = await run(name, command, args);
    process.stdout.write(`${result.ok ? "ok    " : "FAILED"} ${name} (${result.seconds.toFixed(1)} s)\n`);
    if (!result.ok) {
      process.stdout.write(`${result.output.trimEnd()}\n`);
      failed.push(name);
    }
  }
  return failed;
};

if (import.meta.main) process.exitCode = (await check()).length === 0 ? 0 : 1;
