import { array, constantFrom, integer, oneof, record, type Arbitrary } from "fast-check";
import { SWEEP_GRACE, type Actor, type Store } from "./store.ts";
import { settle, spawn, type Kind } from "./world.ts";

/** What happens to a world: an actor comes, goes some steps, dies; time passes. */
export type Move =
  | { move: "step"; who: number; times: number }
  | { move: "kill"; who: number }
  | { move: "spawn"; kind: Kind }
  | { move: "wait"; ms: number };

/** Far enough for a batch, a pane or a send, or to stop in the middle of one. */
const times = constantFrom(1, 3, 7, 13, 19, 40);
const who = integer({ min: 0, max: 4 });

/** Kinds that are named more often come more often; `waits` is how often time passes, where actors go steps 6 times. */
export const movesOf = (kinds: readonly Kind[], waits = 1): Arbitrary<Move[]> =>
  array(
    oneof(
      { weight: 6, arbitrary: record({ move: constantFrom("step" as const), who, times }) },
      { weight: 1, arbitrary: record({ move: constantFrom("kill" as const), who }) },
      { weight: 4, arbitrary: record({ move: constantFrom("spawn" as const), kind: constantFrom(...kinds) }) },
      {
        weight: waits,
        arbitrary: record({ move: constantFrom("wait" as const), ms: constantFrom(SWEEP_GRACE, 16 * 3_600_000) }),
      },
    ),
    { minLength: 10, maxLength: 60 },
  );

/** Moves on until the actor ends; `check` throws where the state is wrong. */
const walk = (store: Store, actor: Actor, steps: number, check: (store: Store) => void): boolean => {
  for (let i = 0; i < steps; i += 1) {
    const { done } = actor.next();
    check(store);
    if (done) return true;
  }
  return false;
};

/** Any interleaving of actors: killed anywhere, or asleep and woken much later. */
export const disturb = (store: Store, played: readonly Move[], check: (store: Store) => void): void => {
  const actors: Actor[] = [];
  for (const move of played) {
    if (move.move === "wait") store.now += move.ms;
    else if (move.move === "spawn") actors.push(spawn(store, move.kind));
    else {
      const actor = actors[move.who % Math.max(1, actors.length)];
      const gone = actor && (move.move === "kill" || walk(store, actor, move.times, check));
      if (gone) actors.splice(actors.indexOf(actor), 1);
    }
  }
  // The zombies wake last, after successors have done their work.
  settle(store);
  for (const actor of actors) walk(store, actor, 1000, check);
};
