import { spawn } from "node:child_process";
import { usageOf } from "./measure.ts";

export type Child = { url: string; pid: number; cpu: () => number; stop: () => void };

/** A Node process that says in its log where it listens. */
export const listening = (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Child> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "ignore", "pipe"] });
    const pid = child.pid ?? 0;
    const cpu = (): number => usageOf(pid)?.cpu_s ?? 0;
    let told = "";
    child.once("exit", (code) => reject(new Error(`${argv.join(" ")} ended with ${code}: ${told.slice(-500)}`)));
    child.stderr.on("data", (bytes: Buffer) => {
      told = (told + bytes.toString()).slice(-10_000);
      const url = /"event":"listening","url":"([^"]+)"/.exec(told)?.[1];
      if (url !== undefined) resolve({ url, pid, cpu, stop: () => void child.kill("SIGTERM") });
    });
  });
