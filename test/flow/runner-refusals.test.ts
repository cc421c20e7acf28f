import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ok } from "../../src/flow/outcome.ts";
import { Refusal } from "../../src/flow/positions.ts";
import { filled, later, offsets, run, upTo } from "../support/flow/driving.ts";
import { makeMember, makeWorld, recordingStage } from "../support/flow/member.ts";
import type { ModelMember } from "../support/flow/member.ts";
import { TOPIC } from "../support/flow/memory-log.ts";
import { Away } from "../support/flow/memory-store.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const applied = async (count: number) => {
  const world = filled(count);
  const member = await makeMember(world);
  member.consumer.assign([0]);
  await run(member, 2000);
  return { world, member };
};
const refusal = (member: ModelMember): string => {
  expect(member.fatal).toEqual([expect.any(Refusal)]);
  return String(member.fatal[0]);
};

test.each(["while running", "while down"])("records removed before they were applied are refused %s", async (when) => {
  const { world, member } = await applied(2);
  const judge = when === "while down" ? await makeMember(world) : member;
  for (let n = 0; n < 5; n += 1) world.log.append(0);
  world.log.removeBelow(0, 4);
  if (judge !== member) judge.consumer.assign([0]);
  await run(judge, 1000);
  expect(refusal(judge)).toMatch(/records 2 to 3 were removed .*positions set/);
});

test.each(["while running", "while down"])("a topic made again with as many records is refused %s", async (when) => {
  const { world, member } = await applied(3);
  const judge = when === "while down" ? await makeMember(world) : member;
  world.log.recreate(0, when === "while down" ? 3 : 4);
  if (judge !== member) judge.consumer.assign([0]);
  await run(judge, 1000);
  expect(refusal(judge)).toMatch(/offset 2 is not the one that was applied last/);
  expect(offsets(world)).toEqual(upTo(3));
});

test.each(["while running", "while down"])("a log shorter than the position is refused %s", async (when) => {
  const { world, member } = await applied(3);
  const judge = when === "while down" ? await makeMember(world) : member;
  world.log.recreate(0, 1);
  if (judge !== member) judge.consumer.assign([0]);
  await run(judge, 12_000);
  expect(refusal(judge)).toMatch(/position 3 is beyond the end of the log \(1\)/);
});

test("another cluster, and a topic partition that is not there, are refused", async () => {
  const { world } = await applied(1);
  world.log.cluster = "cluster-2";
  const member = await makeMember(world);
  member.consumer.assign([0]);
  await later(100);
  expect(refusal(member)).toMatch(/belongs to cluster cluster-1, this is cluster-2/);
  const other = await makeMember(makeWorld(1));
  other.consumer.assign([4]);
  await later(100);
  expect(refusal(other)).toMatch(/log\/4 is not in the cluster; run `health-sync topics apply`/);
});

test("retention up to exactly the position loses nothing, and the next record is applied", async () => {
  const { world, member } = await applied(3);
  world.log.append(0);
  world.log.removeBelow(0, 3);
  await run(member, 2000);
  expect(offsets(world)).toEqual(upTo(4));
  const other = await makeMember(world);
  world.log.removeBelow(0, 4);
  world.log.append(0);
  other.consumer.assign([0]);
  await run(other, 1000);
  expect(offsets(world)).toEqual(upTo(5));
});

test("what the client hides is found by looking at the log: records removed under a silent lane", async () => {
  const { world, member } = await applied(1);
  for (let n = 0; n < 3; n += 1) world.log.append(0);
  world.log.removeBelow(0, 3);
  for (let n = 0; n < 12; n += 1) {
    member.consumer.callbacks?.fetched();
    await later(1000);
  }
  expect(refusal(member)).toMatch(/records 1 to 2 were removed/);
});

test("bounds that cannot be had now are asked again, and a topic that is gone is refused", async () => {
  const { world, member } = await applied(1);
  const bounds = world.log.bounds.bind(world.log);
  const away = vi.spyOn(world.log, "bounds");
  away.mockRejectedValueOnce(new Away("broker")).mockResolvedValueOnce(new Map());
  member.consumer.callbacks?.suspect(null);
  await later(3000);
  expect(refusal(member)).toMatch(/log\/0 is gone from the cluster/);
  away.mockImplementation(bounds);
});

test("a look at one topic's log that fails is taken again later, spares the others and ends nothing", async () => {
  const world = filled(1);
  const stage = recordingStage((record) => Promise.resolve(ok(record)));
  const member = await makeMember(world, {
    stages: new Map([
      ["other", stage],
      [TOPIC, stage],
    ]),
  });
  member.consumer.assign([0]);
  await run(member, 2000);
  const away = vi.spyOn(world.log, "bounds").mockRejectedValueOnce(new Away("broker"));
  for (let n = 0; n < 12; n += 1) {
    member.consumer.callbacks?.fetched();
    await later(1000);
  }
  expect(away.mock.calls).toContainEqual(["other"]);
  expect(away.mock.calls).toContainEqual([TOPIC]);
  expect(member.fatal).toEqual([]);
  away.mockRestore();
});
