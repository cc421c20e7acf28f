import { execFileSync, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

/** A process beyond doubt: the kernel reuses pids, but not a pid together with its start time. */
export type ProcessId = { pid: number; born: string };

/** Start time of a live process in the system's own words; undefined for none and for one that only waits to be reaped. */
export function bornAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command may hold spaces and brackets; fields are counted after its last bracket, state (3) first, start time 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return process.platform === "linux" ? undefined : bornByPs(pid);
  }
}

function bornByPs(pid: number): string | undefined {
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** `ENOENT` and the like, of what Node throws. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

export function isRunning(id: ProcessId): boolean {
  return bornAt(id.pid) === id.born;
}

export function identify(pid: number): ProcessId {
  const born = bornAt(pid);
  if (born === undefined) throw new Error(`process ${pid} ended at once`);
  return { pid, born };
}

export type Launch = {
  command: string;
  args: readonly string[];
  env?: Record<string, string>;
  /** File that stdout and stderr are appended to. */
  log: string;
  cwd: string;
  user?: User | undefined;
};
export type User = { uid: number; gid: number };

/** Starts a process that outlives this one, with as many open files as the system lets it have. */
export function launch(what: Launch): ProcessId {
  const log = openSync(what.log, "a", 0o644);
  // root may go beyond the hard limit, which thousands of topic partitions of a test run need
  try {
    const child = spawn(
      "sh",
      ["-c", 'ulimit -n 200000 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"', what.command, ...what.args],
      {
        cwd: what.cwd,
        detached: true,
        stdio: ["ignore", log, log],
        env: { ...process.env, ...what.env },
        ...what.user,
      },
    );
    child.unref();
    // Listened to only so that a failing exec is no uncaught exception; the missing pid tells.
    child.on("error", () => undefined);
    if (child.pid === undefined) throw new Error(`cannot start ${what.command}: is it installed and executable?`);
    return identify(child.pid);
  } finally {
    closeSync(log);
  }
}

/** Sends a signal and waits until the process is gone; SIGKILL after `patience` ms. Children of a killed one go with it. */
export async function end(id: ProcessId, signal: NodeJS.Signals, patience = 20_000): Promise<void> {
  // The pid of an ended process may be a stranger's by now, and so may its children.
  if (!isRunning(id)) return;
  const children = childrenOf(id.pid);
  send(id, signal);
  if (!(await gone(id, patience))) {
    send(id, "SIGKILL");
    if (!(await gone(id, 10_000))) throw new Error(`process ${id.pid} survives SIGKILL`);
  }
  // Postgres gives every backend a session of its own; after SIGKILL of the first they still hold its shared memory.
  for (const child of children) send(child, "SIGKILL");
  for (const child of children) await gone(child, 5_000);
}

function send(id: ProcessId, signal: NodeJS.Signals): void {
  if (!isRunning(id)) return;
  try {
    process.kill(id.pid, signal);
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

async function gone(id: ProcessId, patience: number): Promise<boolean> {
  const deadline = Date.now() + patience;
  while (isRunning(id)) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

function childrenOf(pid: number): ProcessId[] {
  let pids: number[];
  try {
    pids = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
  return pids.flatMap((child) => {
    const born = bornAt(child);
    return born === undefined ? [] : [{ pid: child, born }];
  });
}
