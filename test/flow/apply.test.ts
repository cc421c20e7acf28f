import { expect, test } from "vitest";
import { applyRecords } from "../../src/flow/apply.ts";
import { StartOver } from "../../src/flow/commit.ts";
import { dead, drop, ok } from "../../src/flow/outcome.ts";
import { Fenced } from "../../src/flow/positions.ts";
import type { AnyStage } from "../../src/flow/stage.ts";
import { RUNNER_STEPS } from "../../src/flow/stage.ts";
import { TOPIC, at } from "../support/flow/memory-log.ts";
import { makeWorld, recordingStage } from "../support/flow/member.ts";

const made = (over: Partial<AnyStage> = {}) => {
  const world = makeWorld(1);
  for (let n = 0; n < 4; n += 1) world.log.append(0);
  world.store.place(0).epoch = 1;
  const steps: string[] = [];
  const deps = {
    db: world.store.database(),
    clock: { now: () => 7 },
    onStep: (step: string) => void steps.push(step),
    group: "group",
    deadLetterTopic: "dead",
  };
  const stage = { ...recordingStage((record) => Promise.resolve(ok(record))), ...over };
  const lane = { ...at(0), epoch: 1, cluster_id: "c", crashed_offset: null, attempts: 0 };
  const apply = (epoch = 1) => applyRecords(deps, stage, { ...lane, epoch }, world.log.read(0, 0, 4).records);
  return { world, steps, apply, offsets: () => world.store.applied.map((one) => one.offset) };
};

test("the steps of a commit come in their order, each once", async () => {
  const { apply, steps } = made();
  expect(await apply()).toMatchObject({ position: 4, tally: { applied: 4 } });
  // The runner itself announces the last one.
  expect(steps).toEqual(RUNNER_STEPS.slice(0, -1).map((step) => `recording.${step}`));
});

test("each record has one fate: applied, dropped under its reason, or dead", async () => {
  const fates = [ok(0), drop("empty"), dead("bad_frame", "", ""), drop("empty")];
  const { apply, offsets } = made({ decode: (record) => Promise.resolve(fates[record.offset] as never) });
  expect((await apply()).tally).toEqual({ applied: 1, dead: 1, dropped_empty: 2 });
  expect(offsets()).toEqual([0]);
});

test("a decision that stands on what has changed is made again on fresh facts, and nothing of the first remains", async () => {
  let reads = 0;
  const woken: unknown[] = [];
  const { apply, offsets } = made({
    read: () => Promise.resolve((reads += 1)),
    write: async (tx, rows) => {
      await tx.query("apply", [0, [reads * 100]]);
      if (reads < 3) throw new StartOver("moved");
      expect(rows).toHaveLength(4);
    },
    committed: (effects) => woken.push(effects.tally),
  });
  await apply();
  expect(reads).toBe(3);
  expect(offsets()).toEqual([300]);
  expect(woken).toEqual([{ applied: 4 }]);
});

test("a decision that never finds its facts unchanged is a bug in the end", async () => {
  const { apply, offsets, world } = made({ write: () => Promise.reject(new StartOver("moved")) });
  await expect(apply()).rejects.toThrow(StartOver);
  expect(offsets()).toEqual([]);
  expect(world.store.place(0).position).toBe(-1);
});

test("without its epoch a commit changes nothing", async () => {
  const { apply, offsets, world } = made();
  await expect(apply(0)).rejects.toThrow(new Fenced(`${TOPIC}/0 has another owner`));
  expect(offsets()).toEqual([]);
  expect(world.store.place(0).position).toBe(-1);
});
