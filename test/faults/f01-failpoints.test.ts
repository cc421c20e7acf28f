import { beforeAll, describe, expect, test } from "vitest";
import { STEPS } from "../../src/app-worker.ts";
import type { FinalState } from "../support/service/final-state.ts";
import { differences } from "../support/service/final-state.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, heal, killAt, sendAll, undisturbed } from "../support/service/fault-run.ts";
import { judged } from "../support/service/judged.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

/** Where most can go wrong; `npm run faults` takes every step that the product exports. */
const SELECTION = [
  "staging.fetched",
  "staging.inserted",
  "staging.position",
  "staging.committed",
  "pane.put-some",
  "pane.staging-emptied",
  "pane.pointer-moved",
  "pane.streams",
  "pane.fired",
  "pane.committed",
  "history.metrics",
  "relay.sent",
  "relay.deleted",
  "sweep.condemned",
  "sweep.deleted",
];
const CHAINS = 3;
/** Slices for each step: most need one. */
const SPARE = 3;
/** A month becomes one object days after it was quiet: test/integration/windows-months.test.ts kills at those steps. */
const steps = WHOLE_MATRIX ? STEPS.filter((step) => !step.startsWith("roll.")) : SELECTION;
const chains = Array.from({ length: CHAINS }, (_, n) => steps.filter((_, i) => i % CHAINS === n));
const corners = await Promise.all([isolated("calm"), ...chains.map((_, n) => isolated(`kill-${n}`))]);
const input = faultInput();
let calm: Promise<FinalState>;

describe.concurrent(`SIGKILL at named steps, one after the other on the same data (seed ${SEED})`, () => {
  beforeAll(() => {
    const [corner] = corners;
    if (corner) calm = undisturbed(corner, input);
  });

  test.for(chains.map((chain, n) => ({ chain, n })))(
    "F1 killed at $chain",
    { timeout: 30 * 60_000 },
    async ({ chain, n }, context) => {
      const corner = corners[n + 1];
      if (!corner) throw new Error("no corner");
      const service = await openService(corner);
      try {
        const parts = slices(input, SPARE * chain.length);
        for (const [i, step] of chain.entries()) {
          await killAt(service, step, parts);
          // A record under which three workers died would be set aside as `crashed`, which is not the question here.
          if (i % 2 === 0) continue;
          await heal(service);
          await service.audit();
          judged(context);
        }
        await sendAll(service, parts.flat());
        const state = await finish(service);
        expect(differences(await calm, state)).toEqual([]);
        judged(context);
      } finally {
        await service.close();
      }
    },
  );
});

test("F1 every step of the selection is one that the product exports", () => {
  expect(SELECTION.filter((step) => !STEPS.includes(step))).toEqual([]);
});
