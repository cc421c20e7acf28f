import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { TreeUsage } from "./tree.ts";

const EVERY_MS = 10;

/** From where work was seen to begin until its end: starting up and joining a group are no part of a rate. */
export type Timed = { rows: number; seconds: number; cpu_s: number; peak_mb: number; largest_mb?: number };
type Mark = { at: number; done: number; cpu_s: number };

/** Looks how many rows are done until all are; `done` answers null until work begins. Throws where none was left by then. */
export const followTo = async (
  total: number,
  done: () => Promise<number | null>,
  worker: { usage(): TreeUsage; failed: Promise<never> },
): Promise<Timed> => {
  let first: Mark | null = null;
  for (;;) {
    const now = await Promise.race([done(), worker.failed]);
    if (now !== null && (first === null || now >= total)) {
      const at = performance.now();
      const { cpu_s, peak_mb, largest_mb } = worker.usage();
      first ??= { at, done: now, cpu_s };
      if (now >= total) {
        if (first.done >= total) throw new Error("it was over before it could be timed: take more --rows");
        const seconds = (at - first.at) / 1000;
        return { rows: total - first.done, seconds, cpu_s: cpu_s - first.cpu_s, peak_mb, largest_mb };
      }
    }
    await sleep(EVERY_MS);
  }
};
