import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeMember, makeWorld } from "../support/flow/member.ts";
import type { ModelMember } from "../support/flow/member.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const PARTITIONS = 2;
const MEMBERS = 3;
const member = fc.nat(MEMBERS - 1);
const partition = fc.nat(PARTITIONS - 1);

const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("append" as const), partition, count: fc.nat(4) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("fetch" as const), member, partition }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("stray" as const), member, partition, from: fc.nat(12) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("suspect" as const), member, partition: fc.option(partition) }),
  },
  // Whom each topic partition goes to; members that get none are told so.
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("rebalance" as const), owners: fc.tuple(member, member) }) },
  // A member that the group has lost without telling it: it goes on as if nothing had happened.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("takeover" as const), member }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("fail" as const), at: fc.constantFrom("statement", "commit") }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("stop" as const), member }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wake" as const) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.constantFrom(0, 1, 5, 100, 700) }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** Members whose steps can be held, as a stopped process is. */
const makeGroup = async () => {
  const world = makeWorld(PARTITIONS);
  const gates: (PromiseWithResolvers<void> | null)[] = Array.from({ length: MEMBERS }, () => null);
  const onStep = (n: number) => async () => {
    await gates[n]?.promise;
  };
  const members: ModelMember[] = [];
  for (let n = 0; n < MEMBERS; n += 1) members.push(await makeMember(world, { onStep: onStep(n) }));
  const wake = (): void => {
    for (const [n, gate] of gates.entries()) {
      gates[n] = null;
      gate?.resolve();
    }
  };
  const stop = (n: number): void => void (gates[n] ??= Promise.withResolvers<void>());
  return { world, members, stop, wake };
};
type Group = Awaited<ReturnType<typeof makeGroup>>;

const step = async ({ world, members, stop, wake }: Group, now: Event): Promise<void> => {
  const acting = "member" in now ? members[now.member] : undefined;
  const all = Array.from({ length: PARTITIONS }, (_, n) => n);
  if (now.kind === "append") for (let n = 0; n < now.count; n += 1) world.log.append(now.partition);
  else if (now.kind === "fetch") acting?.consumer.fetch(now.partition);
  else if (now.kind === "stray") acting?.consumer.stray(now.partition, now.from);
  else if (now.kind === "suspect") {
    const place = now.partition === null ? null : { topic: "log", topic_partition: now.partition };
    acting?.consumer.callbacks?.suspect(place);
  } else if (now.kind === "rebalance") {
    for (const [n, { consumer }] of members.entries()) consumer.assign(all.filter((p) => now.owners[p] === n));
  } else if (now.kind === "takeover") acting?.consumer.assign(all);
  else if (now.kind === "fail") world.store.failNext = now.at === "commit" ? "commit" : "statement";
  else if (now.kind === "stop") stop(now.member);
  else if (now.kind === "wake") wake();
  else await vi.advanceTimersByTimeAsync(now.ms);
};

/** I1 and exactly once, at any moment. */
const check = ({ world, members }: Group): void => {
  expect(members.flatMap(({ fatal }) => fatal)).toEqual([]);
  for (let p = 0; p < PARTITIONS; p += 1) {
    const applied = world.store.applied.filter((one) => one.partition === p);
    expect(applied.map((one) => one.offset)).toEqual(applied.map((_, n) => n));
    expect(Math.max(0, world.store.place(p).position)).toBe(applied.length);
    const epochs = applied.map((one) => one.epoch);
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
    const positions = world.store.history.filter((one) => one.partition === p).map((one) => one.position);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  }
};

const finish = async (group: Group): Promise<void> => {
  group.wake();
  group.world.store.failNext = null;
  for (const [n, { consumer }] of group.members.entries()) consumer.assign(n === 0 ? [0, 1] : []);
  const done = (): boolean =>
    [0, 1].every((p) => Math.max(0, group.world.store.place(p).position) === group.world.log.end(p));
  for (let n = 0; n < 200 && !done(); n += 1) {
    for (const p of [0, 1]) group.members[0]?.consumer.fetch(p);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(done(), "everything is applied in the end").toBe(true);
};

/** Four owners of one record, none of whom died: it was once given up as one that kills its workers. */
const handedAround: Event[] = [
  { kind: "takeover", member: 1 },
  { kind: "time", ms: 0 },
  { kind: "append", partition: 1, count: 1 },
  { kind: "fetch", member: 1, partition: 1 },
  { kind: "rebalance", owners: [0, 2] },
  { kind: "time", ms: 0 },
  { kind: "fetch", member: 2, partition: 1 },
  { kind: "rebalance", owners: [0, 1] },
  { kind: "time", ms: 0 },
  { kind: "fetch", member: 1, partition: 1 },
];

test("whatever happens to a group, each record is applied once, in order, and in the end all are", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60, size: "max" }), async (events) => {
      const group = await makeGroup();
      group.members[0]?.consumer.assign([0, 1]);
      for (const now of events) {
        await step(group, now);
        check(group);
      }
      await finish(group);
      check(group);
      for (const { runner } of group.members) {
        const stopping = runner.stop();
        await vi.advanceTimersByTimeAsync(10_000);
        await stopping;
      }
    }),
    { numRuns: 300, examples: [[handedAround]] },
  );
  expect.hasAssertions();
}, 120_000);
