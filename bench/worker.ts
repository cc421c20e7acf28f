import { spawn } from "node:child_process";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { say } from "./commands/options.ts";
import { keepLog } from "./heard.ts";
import { type TreeUsage, treeUsage } from "./tree.ts";

export const MAIN = join(import.meta.dirname, "..", "src", `main${extname(import.meta.filename)}`);

/** Panes wait for longer than any run takes, so that staging is alone. */
export const HELD = { PANE_EARLY_EVERY: "30d", PANE_LATE_QUIET: "30d", PANE_BACKFILL_QUIET: "30d", MONTH_QUIET: "60d" };

/** A supervised worker, without edge and api. `stop` resolves once it is drained, and tells of restarts. */
export type WorkerProcess = { usage(): TreeUsage; failed: Promise<never>; stop(): Promise<void> };

export const startWorker = (env: NodeJS.ProcessEnv): WorkerProcess => {
  const argv = [MAIN, "serve", "--roles", "worker"];
  const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "ignore", "pipe"], detached: true });
  const log = keepLog(say);
  let last = "";
  let stopping = false;
  createInterface({ input: child.stderr }).on("line", (line) => {
    last = line === "" ? last : line;
    log.hear(line);
  });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const failed = exited.then(() => (stopping ? new Promise<never>(() => undefined) : Promise.reject(new Error(last))));
  failed.catch(() => undefined);
  return {
    usage: () => treeUsage(child.pid ?? 0),
    failed,
    stop: async () => {
      stopping = true;
      const alive = child.exitCode === null;
      child.kill("SIGTERM");
      await exited;
      log.end(alive);
    },
  };
};
