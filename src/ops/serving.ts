import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** A `serve` process that answers ready. `workers` are the pids of its supervised children, by name. */
export type Serving = {
  url: string;
  pid: number;
  workers: ReadonlyMap<string, number>;
  stop(): Promise<void>;
  leave(): void;
};

const TRIES = 240;
const EVERY_MS = 250;

/**
 * Starts `serve --setup` as a child, on PORT of `env`, and resolves once /readyz says so. Throws with its last words.
 * `hear` is given each line of its log, which holds those of its children.
 */
export const startServing = async (
  main: string,
  env: NodeJS.ProcessEnv,
  hear: (line: string) => void = () => undefined,
): Promise<Serving> => {
  const child = spawn(process.execPath, [main, "serve", "--setup"], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  let url = "";
  const workers = new Map<string, number>();
  let last = "";
  createInterface({ input: child.stderr }).on("line", (line) => {
    last = line === "" ? last : line;
    url = /"event":"listening","url":"([^"]+)"/.exec(line)?.[1] ?? url;
    const [, name, pid] = /"part":"([^"]+)","child_pid":(\d+)/.exec(line) ?? [];
    if (name !== undefined) workers.set(name, Number(pid));
    hear(line);
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`serve ended: ${last}`);
    if (url !== "" && (await isReady(url))) {
      const stop = async (): Promise<void> => {
        child.kill("SIGTERM");
        await exited;
      };
      const leave = (): void => {
        child.stderr.destroy();
        child.unref();
      };
      return { url, pid: child.pid, workers, stop, leave };
    }
    await sleep(EVERY_MS);
  }
  child.kill("SIGKILL");
  throw new Error(`serve did not become ready: ${last}`);
};

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    (answer) => answer.ok,
    () => false,
  );
