/** Slewing by NTP is far below this; only a clock that was set jumps so far. */
const MOST_DRIFT_MS = 5_000;
const LOOK_MS = 1_000;

/** Answers, asked again and again, how far the wall clock was set since it was first asked, in ms; 0 while it only drifts. */
export const createClockWatch = (clocks: { wall: () => number; steady: () => number }): (() => number) => {
  const apart = (): number => clocks.wall() - clocks.steady();
  let before = apart();
  return () => {
    const now = apart();
    const by = Math.round(now - before);
    // Drift is not added up: over weeks it may become more than a jump.
    if (Math.abs(by) <= MOST_DRIFT_MS) before = now;
    return Math.abs(by) > MOST_DRIFT_MS ? by : 0;
  };
};

/**
 * Tells once when this machine's clock was set under the process. Whatever it has noted about time is wrong then: ours,
 * and the Kafka client's, which sends no heartbeat before the moment of the last one has come again.
 */
export const whenClockIsSet = (told: (byMs: number) => void): void => {
  const setBy = createClockWatch({ wall: () => Date.now(), steady: () => performance.now() });
  const timer = setInterval(() => {
    const by = setBy();
    if (by === 0) return;
    clearInterval(timer);
    told(by);
  }, LOOK_MS).unref();
};
