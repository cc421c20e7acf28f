import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bornAt, end, identify, isRunning, launch } from "../../../stack/process.ts";

const dir = mkdtempSync(join(tmpdir(), "health-sync-process-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const log = join(dir, "log");
const shell = (script: string): ReturnType<typeof launch> =>
  launch({ command: "sh", args: ["-c", script], log, cwd: dir, env: { WORD: "sent" } });

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
};

test("a launched process runs in a session of its own and writes to its log", async () => {
  const id = shell('echo "$WORD"; sleep 60');
  await until(() => readFileSync(log, "utf8").includes("sent"));
  expect(isRunning(id)).toBe(true);
  await end(id, "SIGTERM");
  expect(isRunning(id)).toBe(false);
});

test("a process that reuses the pid of an ended one is neither taken for it nor killed", async () => {
  const other = shell("sleep 60");
  const ended = { pid: other.pid, born: "1" };
  expect(isRunning(ended)).toBe(false);
  await end(ended, "SIGKILL");
  expect(isRunning(other)).toBe(true);
  await end(other, "SIGKILL");
});

test("a process that does not heed the signal is killed when patience ends, and its children with it", async () => {
  const id = shell("trap '' TERM; sleep 61 & echo deaf $!; while :; do sleep 0.1; done");
  await until(() => /deaf \d+/.test(readFileSync(log, "utf8")));
  const child = Number(/deaf (\d+)/.exec(readFileSync(log, "utf8"))?.[1]);
  expect(bornAt(child)).toBeDefined();
  await end(id, "SIGTERM", 50);
  expect(isRunning(id)).toBe(false);
  await until(() => bornAt(child) === undefined);
});

test("a process is known by its start time, and one that is gone is not", () => {
  expect(isRunning(identify(process.pid))).toBe(true);
  expect(bornAt(2 ** 22 + 1)).toBeUndefined();
  expect(() => identify(2 ** 22 + 1)).toThrow("ended at once");
});
