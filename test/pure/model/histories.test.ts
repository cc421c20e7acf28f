import { assert, property, record } from "fast-check";
import { expect, test } from "vitest";
import { NOON, chunksOf, drawnChunks, type DrawnChunk } from "../../support/model/inputs.ts";
import { disturb, movesOf } from "../../support/model/moves.ts";
import { emptyStore, type Store } from "../../support/model/store.ts";
import {
  KINDS,
  brokenHands,
  brokenNow,
  brokenWhenQuiet,
  finalState,
  settle,
  spawn,
  type Kind,
} from "../../support/model/world.ts";

const SEED = Number(process.env["FAULT_SEED"] ?? Date.now() % 1_000_000);
const RUNS = Number(process.env["MODEL_RUNS"] ?? 300);

type Logs = { live: DrawnChunk[]; backfill: DrawnChunk[] };
const logs = record({ live: drawnChunks, backfill: drawnChunks });
const world = (drawn: Logs): Store =>
  emptyStore(NOON, {
    live: chunksOf("live", drawn.live, NOON),
    backfill: chunksOf("backfill", drawn.backfill, NOON + 3),
  });
const undisturbed = (drawn: Logs): Store => {
  const store = world(drawn);
  settle(store);
  return store;
};

const MIXED: readonly Kind[] = [...KINDS, "live", "pane", "replay", "replay", "replay", "edit", "edit"];
const sound = (store: Store): void => expect([...brokenNow(store), ...brokenHands(store)]).toEqual([]);

test(`a history of inserts, deletions, duplicates, panes, replays and edits in any interleaving: nothing lost, doubled or resurrected, results as computed anew, locked values a person's (seed ${SEED})`, () => {
  const met = { replays: 0, hands: 0 };
  assert(
    property(logs, movesOf(MIXED), (drawn, played) => {
      const store = world(drawn);
      disturb(store, played, sound);
      met.replays += store.replay && store.replay.position > 0 ? 1 : 0;
      met.hands += store.hands.size > 0 ? 1 : 0;
      settle(store);
      sound(store);
      expect(brokenWhenQuiet(store)).toEqual([]);
      expect(finalState(store)).toEqual(finalState(undisturbed(drawn)));
    }),
    { seed: SEED, numRuns: RUNS },
  );
  // Otherwise the property would hold of nothing.
  expect(met.replays).toBeGreaterThan(RUNS / 20);
  expect(met.hands).toBeGreaterThan(RUNS / 20);
});

/** What a replay of everything may change: only that its days have fired once more. */
const exactly = ({ pointers, metrics, objects, tombstones, history, topic }: Store): string =>
  JSON.stringify([pointers, metrics, objects, tombstones, history, topic].map((part) => [...part]));

test(`replaying everything twice changes no row, revision, object or event (seed ${SEED})`, () => {
  assert(
    property(logs, (drawn) => {
      const store = undisturbed(drawn);
      const before = exactly(store);
      for (let n = 0; n < 4; n += 1) for (const _ of spawn(store, "replay"));
      settle(store);
      expect(exactly(store)).toEqual(before);
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
