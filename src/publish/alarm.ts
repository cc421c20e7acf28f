export type Alarm = { sleep(ms: number, signal: AbortSignal): Promise<void>; wake: () => void };

/** Sleeps until the time is up, `wake` or the signal. */
export const alarmClock = (): Alarm => {
  let ring: (() => void) | null = null;
  let rung = false;
  const wake = (): void => {
    rung = true;
    ring?.();
  };
  const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    if (!rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        signal.addEventListener("abort", wake, { once: true });
        ring = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      signal.removeEventListener("abort", wake);
    }
    ring = null;
    rung = false;
  };
  return { sleep, wake };
};
