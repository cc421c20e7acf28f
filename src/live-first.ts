import { setImmediate as nextTurn } from "node:timers/promises";
import type { OnStep } from "./flow/ports.ts";
import { pause } from "./flow/retry.ts";
import { slots } from "./flow/slots.ts";

/** After these a pane decides or encodes, which holds the process up; neither holds a lock. */
const LONG_WORK = new Set(["pane.read", "pane.decided"]);
const LOOK_EVERY_MS = 5;

/**
 * One process does live records and history: a live record takes several turns of the event loop, and without order
 * waits in each for whole days of history to be decided and encoded. So long work begins only while no live record is
 * under way, one piece a turn; for at most `mostMs`, so that history goes on under any live load.
 */
export const liveFirst = (mostMs = 250) => {
  const oneByOne = slots(1);
  const live = { underWay: 0 };
  /** To be awaited before long work. */
  const turn = (): Promise<void> =>
    oneByOne(async () => {
      for (let waited = 0; live.underWay > 0 && waited < mostMs; waited += LOOK_EVERY_MS) await pause(LOOK_EVERY_MS);
      await nextTurn();
    });
  return {
    live: async <T>(work: () => Promise<T>): Promise<T> => {
      live.underWay += 1;
      try {
        return await work();
      } finally {
        live.underWay -= 1;
      }
    },
    turn,
    /** The same steps, with a turn before each that begins long work. */
    waiting:
      (onStep: OnStep): OnStep =>
      async (step) => {
        await onStep(step);
        if (LONG_WORK.has(step)) await turn();
      },
  };
};
