import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MAX_DEATHS } from "../../src/flow/caution.ts";
import { ok } from "../../src/flow/outcome.ts";
import type { RawRecord } from "../../src/flow/ports.ts";
import { Refusal } from "../../src/flow/positions.ts";
import { makeMember, makeWorld } from "../support/flow/member.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Workers one after the other, each until the log is applied, it dies (an endless decode) or ends. */
const workersUntilDone = async (world: ReturnType<typeof makeWorld>, kills: (record: RawRecord) => boolean) => {
  const asked: number[][] = [];
  for (let worker = 0; worker < 12; worker += 1) {
    const state = { dead: false };
    const seen: number[] = [];
    asked.push(seen);
    const member = await makeMember(world, {
      decode: (record) => {
        seen.push(record.offset);
        if (!kills(record)) return Promise.resolve(ok(record));
        state.dead = true;
        return new Promise(() => undefined);
      },
    });
    member.consumer.max = 4;
    member.consumer.assign([0]);
    for (let n = 0; n < 40 && !state.dead && member.fatal.length === 0; n += 1) {
      member.consumer.fetch(0);
      await vi.advanceTimersByTimeAsync(100);
    }
    if (!state.dead) return { fatal: member.fatal, deaths: worker, asked };
  }
  throw new Error("twelve workers died");
};
const filled = (count: number) => {
  const world = makeWorld(1);
  for (let n = 0; n < count; n += 1) world.log.append(0);
  return world;
};
const offsets = (world: ReturnType<typeof makeWorld>) => world.store.applied.map((one) => one.offset);

test("a record that kills its worker is given up as crashed, and only that one", async () => {
  const world = filled(9);
  const { fatal, asked, deaths } = await workersUntilDone(world, (record) => record.offset === 6);
  expect(fatal).toEqual([]);
  expect(offsets(world)).toEqual([0, 1, 2, 3, 4, 5, 7, 8]);
  expect(world.store.outbox).toMatchObject([
    { topic: "dead", value: { reason: "crashed", origin: { offset: 6, index: -1 } } },
  ]);
  // Killed in a batch once or twice, then alone; never touched once it was given up.
  expect(deaths).toBeGreaterThanOrEqual(MAX_DEATHS);
  expect(deaths).toBeLessThanOrEqual(MAX_DEATHS + 2);
  expect(asked.at(-1)).not.toContain(6);
});

test("two in a row are not the data's fault: the worker refuses, and both stay", async () => {
  const world = filled(6);
  const { fatal } = await workersUntilDone(world, (record) => record.offset === 2 || record.offset === 3);
  expect(fatal).toEqual([expect.any(Refusal)]);
  expect(String(fatal[0])).toMatch(/under two records in a row \(2, 3\); the cause is not the data; look with/);
  expect(world.store.place(0).position).toBe(3);
  expect(offsets(world)).toEqual([0, 1]);
});

test("two that kill with one between them that does not are both given up", async () => {
  const world = filled(5);
  const { fatal } = await workersUntilDone(world, (record) => record.offset === 1 || record.offset === 3);
  expect(fatal).toEqual([]);
  expect(offsets(world)).toEqual([0, 2, 4]);
  expect(world.store.outbox).toHaveLength(2);
});

test("after a death records go one at a time for a while, not to the end of a long backlog", async () => {
  const world = filled(1010);
  world.store.place(0).attempts = 1;
  const member = await makeMember(world);
  member.consumer.max = 2000;
  member.consumer.assign([0]);
  await vi.advanceTimersByTimeAsync(10);
  member.consumer.fetch(0);
  await vi.advanceTimersByTimeAsync(1000);
  expect(offsets(world)).toHaveLength(1010);
  expect(world.store.history.filter(({ position }) => position <= 1000)).toHaveLength(1000);
  expect(world.store.history).toHaveLength(1001);
});
