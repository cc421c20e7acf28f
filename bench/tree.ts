import { readFileSync, readdirSync } from "node:fs";

/**
 * Of a process and everything it started: CPU seconds so far, MB resident now and at most (the sum over processes of
 * each one's highest), and the highest of the largest one.
 */
export type TreeUsage = { cpu_s: number; now_mb: number; peak_mb: number; largest_mb: number };

const TICKS_A_SECOND = 100;
type Seen = { parent: number; ticks: number };

const statOf = (pid: number): Seen | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // With children that have ended: a restarted worker's CPU counts.
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    return { parent: Number(fields[1]), ticks };
  } catch {
    return null;
  }
};

const memoryOf = (pid: number): { now: number; peak: number } => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kb = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
    return { now: kb("VmRSS") / 1024, peak: kb("VmHWM") / 1024 };
  } catch {
    return { now: 0, peak: 0 };
  }
};

/** Workers may be processes of their own: what counts is the service as a whole (Linux). */
export const treeUsage = (root: number): TreeUsage => {
  const all = new Map<number, Seen>();
  for (const name of readdirSync("/proc")) {
    const seen = /^\d+$/.test(name) ? statOf(Number(name)) : null;
    if (seen) all.set(Number(name), seen);
  }
  const belongs = (pid: number): boolean => {
    if (pid === root) return true;
    const parent = all.get(pid)?.parent ?? 0;
    return parent > 1 && belongs(parent);
  };
  const usage = { cpu_s: 0, now_mb: 0, peak_mb: 0, largest_mb: 0 };
  for (const [pid, { ticks }] of all) {
    if (!belongs(pid)) continue;
    const { now, peak } = memoryOf(pid);
    usage.cpu_s += ticks / TICKS_A_SECOND;
    usage.now_mb += now;
    usage.peak_mb += peak;
    usage.largest_mb = Math.max(usage.largest_mb, peak);
  }
  return usage;
};
