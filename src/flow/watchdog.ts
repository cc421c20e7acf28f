import type { Lane } from "./lanes.ts";
import { laneKey } from "./lanes.ts";

export type Limits = { fetch_ms: number; progress_ms: number; work_ms: number };
export const LIMITS: Limits = { fetch_ms: 20_000, progress_ms: 60_000, work_ms: 120_000 };
/** Between two looks. */
export const LOOK_MS = 1_000;

/**
 * Takes away what this process did not see because it had no turn itself: its event loop was held, or others had the
 * machine. Nobody fell silent in that time, and to start again would only cost more of it. Answers how long that was.
 */
export const excuse = (seen: { now: number; looked_at: number; lanes: Iterable<Lane> }): number => {
  const absent = Math.max(0, seen.now - seen.looked_at - LOOK_MS);
  for (const lane of seen.lanes) {
    lane.progressed_at += absent;
    lane.busy_since &&= lane.busy_since + absent;
  }
  return absent;
};

/**
 * Why this process should end and be started again, or null (rule 7 of the consumer recipe). A half-open connection
 * times out for ever without an error; only the missing answers show it.
 */
export const stalled = (
  seen: { now: number; fetched_at: number; lanes: Iterable<Lane> },
  limits: Limits = LIMITS,
): string | null => {
  const lanes = [...seen.lanes];
  if (lanes.length > 0 && seen.now - seen.fetched_at > limits.fetch_ms) {
    return `no fetch was answered for ${Math.round((seen.now - seen.fetched_at) / 1000)} s`;
  }
  for (const lane of lanes) {
    if (lane.busy_since !== null && seen.now - lane.busy_since > limits.work_ms) {
      return `${laneKey(lane)} has worked on one batch for ${Math.round((seen.now - lane.busy_since) / 1000)} s`;
    }
    if (lane.state === "open" && lane.lag > 0 && seen.now - lane.progressed_at > limits.progress_ms) {
      return `${laneKey(lane)} has lag and made no progress for ${Math.round((seen.now - lane.progressed_at) / 1000)} s`;
    }
  }
  return null;
};
