import type { Lane } from "./lanes.ts";
import { laneKey } from "./lanes.ts";

export type Limits = { fetch_ms: number; progress_ms: number; work_ms: number };
export const LIMITS: Limits = { fetch_ms: 20_000, progress_ms: 60_000, work_ms: 120_000 };

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
