import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { dead } from "../../src/flow/outcome.ts";
import { filled, later, offsets, run, upTo } from "../support/flow/driving.ts";
import { makeMember } from "../support/flow/member.ts";
import type { ModelMember } from "../support/flow/member.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const stop = async (member: ModelMember): Promise<void> => {
  const stopping = member.runner.stop();
  await later(20_000);
  await stopping;
};

test("a log is applied from its start, in order, once, and goes on with what comes later", async () => {
  const world = filled(7);
  const member = await makeMember(world);
  member.consumer.assign([0]);
  await run(member, 2000);
  expect(offsets(world)).toEqual(upTo(7));
  world.log.append(0);
  await run(member, 1000);
  expect(offsets(world)).toEqual(upTo(8));
  expect(member.consumer.committed.get(0)).toBe(8);
  expect(member.fatal).toEqual([]);
  await stop(member);
  expect(member.consumer.stopped).toBe(true);
});

test("nothing is applied before the position is known", async () => {
  const world = filled(3);
  const held = Promise.withResolvers<void>();
  world.log.hold = held.promise;
  const member = await makeMember(world);
  member.consumer.assign([0]);
  await later();
  member.consumer.stray(0, 0);
  await later(1000);
  expect(offsets(world)).toEqual([]);
  held.resolve();
  await run(member, 1000);
  expect(offsets(world)).toEqual(upTo(3));
});

test("a record that comes after a long idle time is no stall", async () => {
  const world = filled(2);
  const member = await makeMember(world);
  member.consumer.assign([0]);
  await run(member, 90_000);
  world.log.append(0);
  // The fetch that shows it ends at once in another fetch, which proves the log; the watchdog looks in between.
  member.consumer.fetch(0);
  await later(1500);
  expect(member.fatal).toEqual([]);
  await run(member, 500);
  expect(offsets(world)).toEqual(upTo(3));
});

test("lag without progress for a minute is a stall, as is a connection that answers no fetch", async () => {
  const world = filled(1);
  const member = await makeMember(world);
  member.consumer.assign([0]);
  await run(member, 1000);
  await later(30_000);
  expect(member.fatal.map(String)).toEqual([expect.stringMatching(/no fetch was answered/)]);
  const other = await makeMember(world);
  other.consumer.assign([0]);
  await run(other, 1000);
  world.log.append(0);
  for (let n = 0; n < 90; n += 1) {
    other.consumer.callbacks?.fetched();
    await later(1000);
  }
  expect(other.fatal.map(String)).toEqual([expect.stringMatching(/log\/0 has lag and made no progress/)]);
});

test("a process whose event loop is held again and again is no stall; silence while it looks is", async () => {
  const world = filled(1);
  const member = await makeMember(world);
  member.consumer.assign([0]);
  await run(member, 1000);
  for (let n = 0; n < 15; n += 1) {
    vi.setSystemTime(Date.now() + 30_000);
    await later(1000);
  }
  expect(member.fatal).toEqual([]);
  await later(10_000);
  expect(member.fatal.map(String)).toEqual([expect.stringMatching(/no fetch was answered/)]);
  await stop(member);
});

test("work on one batch that never ends is a stall", async () => {
  const world = filled(1);
  const member = await makeMember(world, { onStep: () => new Promise(() => undefined) });
  member.consumer.assign([0]);
  await run(member, 130_000);
  expect(member.fatal.map(String)).toEqual([expect.stringMatching(/log\/0 has worked on one batch/)]);
});

test("a producer's batch that fills a whole fetch by itself stops nothing", async () => {
  const world = filled(6);
  const member = await makeMember(world);
  member.consumer.max = 1;
  member.consumer.assign([0]);
  await run(member, 4000);
  expect(offsets(world)).toEqual(upTo(6));
});

test("a commit by the former owner, made between the answers of log and database, is no misfit", async () => {
  const world = filled(2);
  const first = await makeMember(world);
  first.consumer.assign([0]);
  await run(first, 1000);
  const held = Promise.withResolvers<void>();
  const second = await makeMember(world);
  world.log.hold = held.promise;
  second.consumer.assign([0]);
  await later();
  world.log.hold = null;
  world.log.append(0);
  await run(first, 1000);
  held.resolve();
  await run(second, 2000);
  expect([...first.fatal, ...second.fatal]).toEqual([]);
  expect(offsets(world)).toEqual(upTo(3));
});

test("a lane that failed is not opened again once its topic partition went to another member", async () => {
  const world = filled(3, 2);
  const first = await makeMember(world);
  first.consumer.assign([0, 1]);
  await later();
  world.store.failNext = "statement";
  first.consumer.fetch(0);
  await later(10);
  first.consumer.assign([1]);
  const second = await makeMember(world);
  second.consumer.assign([0]);
  await later(5000);
  const { epoch } = world.store.place(0);
  await run(second, 1000);
  expect(offsets(world)).toEqual(upTo(3));
  expect(world.store.place(0).epoch).toBe(epoch);
  world.log.append(0);
  // Whoever holds a topic partition that is not its own sees lag there for ever.
  for (let n = 0; n < 90; n += 1) await Promise.all([run(first, 500, [1]), later(500)]);
  expect(first.fatal).toEqual([]);
});

test("a lane that failed while the group moved is opened once, not twice", async () => {
  const world = filled(3);
  const member = await makeMember(world);
  member.consumer.assign([0]);
  await later();
  world.store.failNext = "statement";
  member.consumer.fetch(0);
  await later(10);
  member.consumer.assign([0]);
  await later(5000);
  expect(world.store.place(0).epoch).toBe(2);
  await run(member, 1000);
  expect(offsets(world)).toEqual(upTo(3));
});

test("a commit whose answer was lost is not made twice", async () => {
  const world = filled(3);
  const member = await makeMember(world);
  member.consumer.assign([0]);
  await later();
  world.store.failNext = "commit";
  await run(member, 5000);
  expect(offsets(world)).toEqual(upTo(3));
  expect(member.fatal).toEqual([]);
});

test("a passing failure is not counted as a death, and takes the record up again", async () => {
  const world = filled(1);
  let failures = 0;
  const away = vi.fn<() => void>(() => void (world.store.failNext = failures++ < 6 ? "statement" : null));
  const member = await makeMember(world, { onStep: (step) => (step === "recording.begun" ? away() : undefined) });
  member.consumer.assign([0]);
  await run(member, 20_000);
  expect(away.mock.calls.length).toBeGreaterThan(5);
  expect(offsets(world)).toEqual([0]);
  expect(world.store.outbox).toEqual([]);
});

test("poison is dead-lettered with its bytes, and its neighbours are applied", async () => {
  const world = filled(3);
  const member = await makeMember(world, {
    decode: (record) =>
      Promise.resolve(record.offset === 1 ? dead("bad_frame", "", "no frame") : { kind: "ok", value: record }),
  });
  member.consumer.assign([0]);
  await run(member, 1000);
  expect(offsets(world)).toEqual([0, 2]);
  expect(world.store.outbox).toMatchObject([{ shard: -1, topic: "dead", value: { reason: "bad_frame" } }]);
});

test("a bug ends the runner, which applies nothing more", async () => {
  const world = filled(3);
  const member = await makeMember(world, { decode: () => Promise.reject(new TypeError("bug")) });
  member.consumer.assign([0]);
  await run(member, 1000);
  expect(member.fatal.map(String)).toEqual(["TypeError: bug"]);
  expect(world.store.place(0).position).toBe(-1);
  member.consumer.callbacks?.crashed(new Error("and again"));
  expect(member.fatal).toHaveLength(1);
});

test("the client's crash and what is thrown as no error end the runner too", async () => {
  const world = filled(1);
  const member = await makeMember(world);
  member.consumer.callbacks?.crashed(new Error("SyncGroup timed out"));
  expect(member.fatal.map(String)).toEqual(["Error: SyncGroup timed out"]);
  const other = await makeMember(world, {
    // oxlint-disable-next-line prefer-promise-reject-errors -- what a library may do
    decode: () => Promise.reject("text"),
  });
  other.consumer.assign([0]);
  await run(other, 500);
  expect(other.fatal.map(String)).toEqual(["Error: text"]);
});

test("a topic without a stage is a bug", async () => {
  const world = filled(1);
  const member = await makeMember(world, { stages: new Map() });
  member.consumer.assign([0]);
  await run(member, 500);
  expect(member.fatal.map(String)).toEqual(["Error: no stage for topic log"]);
});

test("stopping waits for the batch under way, and what is not begun stays unapplied", async () => {
  const world = filled(3);
  world.store.place(0).attempts = 1;
  const gate = Promise.withResolvers<void>();
  const member = await makeMember(world, { onStep: (s) => (s === "recording.begun" ? gate.promise : undefined) });
  member.consumer.assign([0]);
  await later();
  member.consumer.fetch(0);
  await later();
  const stopping = member.runner.stop();
  await later();
  expect(member.consumer.stopped).toBe(false);
  gate.resolve();
  await later();
  await stopping;
  expect(member.consumer.stopped).toBe(true);
  expect(offsets(world)).toEqual([0]);
  member.consumer.fetch(0);
  await later();
  expect(offsets(world)).toEqual([0]);
});
