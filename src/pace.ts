import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { OnStep } from "./flow/ports.ts";

/** How far work makes way: rest for each millisecond of waiting, and the longest rest, in times of the work before it. */
export type Way = { rest_a_wait: number; most: number };
/** Of what somebody started and watches: at least half of its speed is left. */
export const WATCHED: Way = { rest_a_wait: 4, most: 1 };
/** Of what nobody waits for: a quarter is left. Measured: with less, a late live record is three times as late meanwhile. */
export const UNWATCHED: Way = { rest_a_wait: 12, most: 3 };
/** However short cores are: nothing may look stuck because it rests. */
const MOST_REST_MS = 5_000;
/** Shorter than this a look would cost more than it tells. */
const LOOK_MS = 5;

/** What passed since the last look, in ms: on the clock, and ready to run while others had all cores. */
export type Turn = { elapsed: number; waited: number };

/**
 * How long to rest then: who waits for a core makes others wait. Where nobody else wants one, not at all.
 */
export const restAfter = ({ elapsed, waited }: Turn, way: Way): number =>
  Math.min(way.rest_a_wait * waited, way.most * elapsed, MOST_REST_MS);

/** Of this thread since it began, by Linux's scheduler; 0 elsewhere, where nothing rests. */
const waitedSoFar = (): number => {
  try {
    const nanoseconds = Number(readFileSync("/proc/thread-self/schedstat", "latin1").split(" ")[1]);
    return nanoseconds / 1e6;
  } catch {
    return 0;
  }
};

/** Awaited between pieces of work: resolves when it is time for the next one. Whatever this process has under way rests together. */
export type Pace = () => Promise<void>;

export const createPace = (
  way: Way,
  seen = { now: () => performance.now(), waited: waitedSoFar, sleep: (ms: number): Promise<unknown> => sleep(ms) },
): Pace => {
  let last = { at: seen.now(), waited: seen.waited() };
  let until = last.at;
  return async () => {
    const now = seen.now();
    if (now - last.at >= LOOK_MS) {
      const waited = seen.waited();
      until = Math.max(until, now + restAfter({ elapsed: now - last.at, waited: waited - last.waited }, way));
      last = { at: until, waited };
    }
    if (until > now) await seen.sleep(until - now);
  };
};

/** Where a piece of work in the background holds no lock and no connection. */
const BETWEEN: ReadonlySet<string> = new Set([
  "staging.decoded",
  "staging.woken",
  "pane.read",
  "pane.decided",
  "pane.put",
  "pane.committed",
  "history.committed",
  "roll.read",
  "roll.committed",
]);

/** Steps that are taken in the background's own time. */
export const paced =
  (onStep: OnStep, pace: Pace): OnStep =>
  async (step) => {
    await onStep(step);
    if (BETWEEN.has(step)) await pace();
  };
