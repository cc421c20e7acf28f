import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { patchedBuild } from "../support/service/build.ts";
import { faultInput } from "../support/service/fault-input.ts";
import { sendAll } from "../support/service/fault-run.ts";
import { startCommand } from "../support/service/processes.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("watchdog");
const folder = mkdtempSync(join(tmpdir(), "health-sync-stuck-"));
const stuck = join(folder, "while-this-is-here");
const isStuck = `process.getBuiltinModule("node:fs").existsSync(${JSON.stringify(stuck)})`;

/** Lanes stand still while a file is there, and the watchdog waits for seconds instead of a minute. */
const build = patchedBuild([
  { file: "src/flow/watchdog.ts", find: "progress_ms: 60_000", replace: "progress_ms: 2_000" },
  {
    file: "src/flow/runner.ts",
    find: "    this.#deps.consumer.resume([lane]);",
    replace: `    if (!${isStuck}) this.#deps.consumer.resume([lane]);`,
  },
]);
afterAll(() => {
  build.drop();
  rmSync(folder, { recursive: true });
});

test("a worker that has lag and makes no progress ends, is started again, and catches up once it can", async () => {
  const input = faultInput().slice(0, 12);
  const service = await openService(here);
  writeFileSync(stuck, "");
  const worker = startCommand(["serve", "--roles", "worker"], service.env, build.main);
  try {
    await sendAll(service, input);
    const restarting = await worker.event("worker.restarting");
    expect(restarting["reason"]).toMatch(/stalled: .* has lag and made no progress for \d+ s/);
    expect(existsSync(stuck)).toBe(true);
    rmSync(stuck);
    await service.wait();
    expect((await service.audit()).report).toContain("I2  ok");
  } finally {
    await worker.stop();
    await service.close();
  }
});
