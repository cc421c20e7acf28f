import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

export type Measured = { ms: number; cpu_s: number; peak_mb: number; stdout: string };

export type Usage = { peak_mb: number; cpu_s: number };

const TICKS_A_SECOND = 100;

/** Peak resident memory and CPU time so far, from the kernel's own books (Linux); null once the process is gone. */
export const usageOf = (pid: number): Usage | null => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const peak = /VmHWM:\s+(\d+)/.exec(status)?.[1];
    return peak === undefined
      ? null
      : { peak_mb: Number(peak) / 1024, cpu_s: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND };
  } catch {
    return null;
  }
};

/**
 * Runs a program to its end, one of ours by default. Throws what it said on stderr when it fails. `detached`: in a session
 * of its own, since Linux shares cores between sessions first: it then takes nothing from the share of the bench itself.
 */
export const measure = (
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  program: string = process.execPath,
  detached = false,
): Promise<Measured> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(program, argv, { env, stdio: ["ignore", "pipe", "pipe"], detached });
    let stdout = "";
    let stderr = "";
    let usage = { peak_mb: 0, cpu_s: 0 };
    child.stdout.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
    const timer = setInterval(() => {
      usage = (child.pid === undefined ? null : usageOf(child.pid)) ?? usage;
    }, 50);
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(timer);
      if (code === 0) resolve({ ms: performance.now() - started, ...usage, stdout });
      else reject(new Error(`${argv.join(" ")} ended with ${code}: ${stderr.trim().split("\n").at(-1)}`));
    });
  });
