import type { Clock } from "../flow/ports.ts";
import { pause } from "../flow/retry.ts";
import { slots } from "../flow/slots.ts";

export type Pace = {
  /** Counts a record against the rate. */
  take(): void;
  /** Work waits for its turn here, outside the watchdog's time for a batch. */
  slot: <T>(work: () => Promise<T>) => Promise<T>;
};

/** Batches at once: little, because live traffic shares the database. */
const LANES = 2;

/** At most `rate` records a second on average over the batches; null is no limit. The signal ends all waiting. */
export const createPace = (rate: number | null, clock: Clock, signal: AbortSignal): Pace => {
  let free = clock.now();
  const turn = slots(LANES);
  return {
    take: () => {
      if (rate !== null) free = Math.max(free, clock.now()) + 1000 / rate;
    },
    slot: (work) =>
      turn(async () => {
        const wait = free - clock.now();
        if (wait > 0) await pause(wait, signal);
        return work();
      }),
  };
};
