import { assert, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import { RELAY_STEPS } from "../../../src/publish/lane.ts";
import { STAGING_STEPS } from "../../../src/staging/stage.ts";
import { PANE_STEPS } from "../../../src/windows/commit.ts";
import { DELETION_STEPS } from "../../../src/windows/deletions.ts";
import { HISTORY_STEPS } from "../../../src/windows/history-pass.ts";
import { SWEEP_STEPS } from "../../../src/windows/sweeper.ts";
import { NOON, chunksOf, drawnChunks, type DrawnChunk } from "../../support/model/inputs.ts";
import { disturb, movesOf } from "../../support/model/moves.ts";
import { GUARDS, emptyStore, type Guard, type Store } from "../../support/model/store.ts";
import { KINDS, brokenNow, brokenWhenQuiet, finalState, settle, type Kind } from "../../support/model/world.ts";

/** Every step that the product announces: the model must know each of them, so that a new one cannot be missed. */
const STEPS = [...STAGING_STEPS, ...PANE_STEPS, ...HISTORY_STEPS, ...DELETION_STEPS, ...RELAY_STEPS, ...SWEEP_STEPS];
const SEED = Number(process.env["FAULT_SEED"] ?? Date.now() % 1_000_000);

const ONE = { id: "00000000-0000-4000-8000-000000000000", at: NOON, watch: true, steps: true, sync: null };

type Logs = { live: DrawnChunk[]; backfill: DrawnChunk[] };
const logs = record({ live: drawnChunks, backfill: drawnChunks });
const world = (drawn: Logs, without: Guard | null = null): Store => {
  const live = chunksOf("live", drawn.live, NOON);
  return emptyStore(NOON, { live, backfill: chunksOf("backfill", drawn.backfill, NOON + 3) }, without);
};

const undisturbed = (drawn: Logs): Store => {
  const store = world(drawn);
  settle(store);
  return store;
};

/** Those whose meetings are the dangerous ones come more often. */
const BUSY: readonly Kind[] = [...KINDS, "live", "pane", "pane"];

/** Whoever has to meet for a missing check to show: among all of them it takes too many runs. */
const MEETING: Partial<Record<Guard, { kinds: readonly Kind[]; waits: number }>> = {
  intent: { kinds: ["backfill", "pane", "sweep", "sweep"], waits: 4 },
  rev: { kinds: ["live", "backfill", "pane"], waits: 1 },
  fence: { kinds: ["live", "pane", "relay"], waits: 1 },
};
const sound = (store: Store): void => expect(brokenNow(store)).toEqual([]);

test("the model passes through every step that the product exports", () => {
  const drawn: Logs = {
    live: [{ samples: [{ ...ONE, value: 60, zone: null }], deletions: [], again: false }],
    backfill: [],
  };
  const seen = new Set<string>();
  settle(world(drawn), (name) => seen.add(name));
  expect(STEPS.filter((name) => !seen.has(name))).toEqual([]);
  expect([...seen].filter((name) => !STEPS.includes(name))).toEqual([]);
});

const withstands = (without: Guard | null, numRuns: number): void => {
  const { kinds, waits } = (without && MEETING[without]) ?? { kinds: BUSY, waits: 1 };
  assert(
    property(logs, movesOf(kinds, waits), (drawn, played) => {
      const store = world(drawn, without);
      disturb(store, played, sound);
      settle(store);
      expect(brokenWhenQuiet(store)).toEqual([]);
      expect(finalState(store)).toEqual(finalState(undisturbed(drawn)));
    }),
    { seed: SEED, numRuns, endOnFailure: without !== null, includeErrorInReport: true },
  );
};

test(`whatever is killed or sleeps, nothing is lost, doubled or resurrected (seed ${SEED})`, () => {
  const runs = Number(process.env["MODEL_RUNS"] ?? 400);
  expect(() => withstands(null, runs)).not.toThrow();
});

test.each(GUARDS)("without its check of %s the protocol breaks, and the model notices", (guard) => {
  // Most are found within some hundred; the bound is for the unluckiest seed.
  expect(() => withstands(guard, 12_000)).toThrow("Property failed");
});

test.each(STEPS)("a kill at %s, the first, second or third time, changes no final state", (step) => {
  assert(
    property(logs, integer({ min: 1, max: 3 }), (drawn, nth) => {
      const store = world(drawn);
      let left = nth;
      const killed = new Error("killed");
      try {
        settle(store, (name) => {
          left -= name === step ? 1 : 0;
          if (left === 0) throw killed;
        });
      } catch (error) {
        if (error !== killed) throw error;
      }
      settle(store);
      expect(brokenWhenQuiet(store)).toEqual([]);
      expect(finalState(store)).toEqual(finalState(undisturbed(drawn)));
    }),
    { seed: SEED, numRuns: 10 },
  );
});

const withoutPositions = (store: Store): unknown => ({
  ...(JSON.parse(finalState(store)) as object),
  positions: null,
});

test(`order, repetition and split of what was received do not matter (seed ${SEED})`, () => {
  assert(
    property(logs, integer(), (drawn, shuffle) => {
      const mixed = world(drawn);
      // Same chunks with the same stamps, in another order and all of them twice.
      for (const lane of ["live", "backfill"] as const) {
        const chunks = [...mixed.logs[lane], ...mixed.logs[lane]];
        mixed.logs[lane] = chunks
          .map((c, i) => [c, (i * 7919 + shuffle) % 104_729] as const)
          .toSorted((a, b) => a[1] - b[1])
          .map(([c]) => c);
      }
      settle(mixed);
      expect(withoutPositions(mixed)).toEqual(withoutPositions(undisturbed(drawn)));
    }),
    { seed: SEED, numRuns: 150 },
  );
});
