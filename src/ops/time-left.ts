import type { Instant } from "../domain/sample.ts";

const WINDOW_MS = 60_000;
const LEAST_MS = 2_000;

/**
 * Seconds until nothing is left, by how fast it shrank over the last minute: what comes in meanwhile counts against it.
 * Null while that is not known: too early, or it does not shrink.
 */
export const createTimeLeft = () => {
  let marks: { at: Instant; left: number }[] = [];
  return (at: Instant, left: number): number | null => {
    marks = [...marks.filter((mark) => at - mark.at <= WINDOW_MS), { at, left }];
    const first = marks[0];
    if (left === 0) return 0;
    if (!first || at - first.at < LEAST_MS || left >= first.left) return null;
    return (left * (at - first.at)) / (first.left - left) / 1000;
  };
};
