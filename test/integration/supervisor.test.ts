import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { createTelemetry } from "../../src/io/telemetry.ts";
import { supervise, type Supervisor } from "../../src/ops/supervisor.ts";

const folder = mkdtempSync(join(tmpdir(), "supervisor-"));
afterAll(() => rmSync(folder, { recursive: true }));
const support = (name: string): string => fileURLToPath(new URL(`../support/supervised/${name}`, import.meta.url));

let files = 0;
const under = (mode: string, drainMs = 5000) => {
  const file = join(folder, `${(files += 1)}`);
  const lines: string[] = [];
  const telemetry = createTelemetry({ level: "silent", role: "edge" });
  const supervisor: Supervisor = supervise({
    clock: { now: () => Date.now() },
    telemetry,
    name: "worker",
    flag: "live",
    argv: [support("child.ts"), mode, file],
    env: process.env,
    drainMs,
    askEveryMs: mode === "hang" ? 100 : 60_000,
    stderr: (line) => lines.push(line),
  });
  const starts = (): string[] => readFileSync(file, "utf8").trim().split("\n");
  return { supervisor, telemetry, lines, starts };
};
const patient = { timeout: 20_000, interval: 50 };

test("a child that crashes is started again, later each time, and its last words are known", async () => {
  const { supervisor, lines, starts, telemetry } = under("crash");
  await expect.poll(() => starts().length, patient).toBeGreaterThanOrEqual(3);
  expect(new Set(starts()).size).toBe(starts().length);
  expect(lines).toContain("TypeError: a bug");
  await expect.poll(() => supervisor.health().why, patient).toContain("TypeError: a bug");
  expect(await telemetry.metricsText()).toMatch(/health_sync_restarts_total\{part="worker",role="edge"\} [2-9]/);
  await supervisor.stop();
});

test("a child that is killed from outside is started again and becomes ready", async () => {
  const { supervisor, starts } = under("run");
  await expect.poll(() => supervisor.health().ok, patient).toBe(true);
  process.kill(Number(starts()[0]), "SIGKILL");
  await expect.poll(() => starts().length, patient).toBe(2);
  await expect.poll(() => supervisor.health().ok, patient).toBe(true);
  await supervisor.stop();
});

test("a child that stands still is killed and started again", async () => {
  const { supervisor, starts, telemetry } = under("hang");
  await expect.poll(() => starts().length, patient).toBeGreaterThanOrEqual(2);
  expect(await telemetry.metricsText()).toMatch(/health_sync_restarts_total\{part="worker",role="edge"\} [1-9]/);
  await supervisor.stop();
});

test("a refusal to start is not retried, and its text is the worker's health", async () => {
  const { supervisor, starts } = under("refuse");
  await expect.poll(() => supervisor.state().kind, patient).toBe("refused");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(starts()).toHaveLength(1);
  expect(supervisor.health()).toEqual({
    ok: false,
    why: "the worker refuses to start: topic/3: records 5 to 9 were removed; use `health-sync positions set`",
  });
  expect(await supervisor.stop()).toBe(0);
});

test("stop lets the child drain, and kills one that does not listen", async () => {
  const kind = under("run");
  await expect.poll(() => kind.supervisor.health().ok, patient).toBe(true);
  expect(await kind.supervisor.stop()).toBe(0);
  expect(kind.starts().at(-1)).toBe("drained");
  const deaf = under("deaf", 300);
  await expect.poll(() => deaf.supervisor.health().ok, patient).toBe(true);
  expect(await deaf.supervisor.stop()).not.toBe(0);
  expect(deaf.supervisor.state().kind).toBe("stopped");
});

test("the child's figures stand among the parent's", async () => {
  const { supervisor, telemetry } = under("run");
  await expect.poll(() => supervisor.health().ok, patient).toBe(true);
  const figures = await supervisor.figures();
  expect(await telemetry.metricsText(figures === null ? [] : [figures])).toContain(
    'health_sync_records_total{stage="staging",fate="inserted",role="worker"} 4',
  );
  await supervisor.stop();
  expect(await supervisor.figures()).toBeNull();
});

test("a child whose supervisor is killed notices and ends", async () => {
  const file = join(folder, "orphan");
  const parent = spawn(process.execPath, [...process.execArgv, support("parent.ts"), file], { stdio: "ignore" });
  const text = (): string => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return "";
    }
  };
  await expect.poll(text, patient).toMatch(/^\d+\n/);
  await new Promise((resolve) => setTimeout(resolve, 300));
  parent.kill("SIGKILL");
  await expect.poll(text, patient).toContain("orphaned");
});
