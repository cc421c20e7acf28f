import type { Change } from "./changes.ts";

/** One open stream. `wake` is called when there is something to send, or nothing will come any more. */
export type Listener = { waiting: Change[]; ended: boolean; wake: () => void };

/** A reader that is so far behind is cut off and starts over; memory stays bounded (I10). */
const MOST_WAITING = 1_000;

/** Who listens to whom. */
export const createListeners = () => {
  const byAthlete = new Map<string, Set<Listener>>();
  return {
    size: (): number => [...byAthlete.values()].reduce((sum, all) => sum + all.size, 0),
    has: (athleteId: string): boolean => byAthlete.has(athleteId),
    add: (athleteId: string): Listener => {
      const listener: Listener = { waiting: [], ended: false, wake: () => undefined };
      byAthlete.set(athleteId, (byAthlete.get(athleteId) ?? new Set()).add(listener));
      return listener;
    },
    remove: (athleteId: string, listener: Listener): void => {
      const all = byAthlete.get(athleteId);
      all?.delete(listener);
      if (all?.size === 0) byAthlete.delete(athleteId);
    },
    /** Nothing is left out silently: who cannot follow is cut off, and reads the tables when it comes back. */
    tell: (change: Change): void => {
      for (const listener of byAthlete.get(change.athlete_id) ?? []) {
        listener.waiting.push(change);
        if (listener.waiting.length > MOST_WAITING) listener.ended = true;
        listener.wake();
      }
    },
    endAll: (): void => {
      for (const all of byAthlete.values())
        for (const listener of all) {
          listener.ended = true;
          listener.wake();
        }
    },
  };
};
export type Listeners = ReturnType<typeof createListeners>;
