/** Waits, but not longer than until the signal: resolves either way. */
export const pause = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done, { once: true });
  });

/** Exponential back-off with jitter: 100 ms doubling to 5 s. `random` in [0, 1). */
export const backOff = (attempt: number, random: number): number =>
  Math.min(5_000, 100 * 2 ** Math.min(attempt, 10)) * (0.5 + random / 2);
