import { expect, test } from "vitest";
import { planLeases } from "../../../src/publish/leases.ts";

type Holder = string | null;

/** Lane −1 and shards 0 to 7 with their owners, all alive unless named dead. */
const leases = (owners: readonly Holder[], dead: readonly string[] = []) =>
  owners.map((owner, at) => ({ shard: at - 1, owner, alive: owner !== null && !dead.includes(owner) }));

const held = (plan: ReturnType<typeof planLeases>): number[] =>
  [...plan.renew, ...plan.claim, ...plan.steal].toSorted((a, b) => a - b);

test("one relay alone takes every shard and the plain lane", () => {
  const plan = planLeases("a", leases([null, null, null, null, null, null, null, null, null]));
  expect(held(plan)).toEqual([-1, 0, 1, 2, 3, 4, 5, 6, 7]);
});

test("leases that ran out are taken over, living ones are not", () => {
  const plan = planLeases("a", leases(["b", "b", "b", "b", "b", "c", "c", "c", "c"], ["b"]));
  expect(plan).toEqual({ renew: [], release: [], claim: [-1, 0, 1, 2, 3], steal: [] });
});

test("a newcomer that finds nothing free takes one shard of the owner with the most, who then gives half back", () => {
  const all = ["a", "a", "a", "a", "a", "a", "a", "a", "a"];
  const newcomer = planLeases("b", leases(all));
  expect(newcomer.steal).toEqual([0]);
  const then = leases(all.map((owner, at) => (at === 1 ? "b" : owner)));
  const former = planLeases("a", then);
  expect(former.renew).toHaveLength(1 + 4);
  expect(former.release).toHaveLength(3);
});

test("nobody takes a shard from owners who hold no more than their share", () => {
  const plan = planLeases("z", leases(["a", "a", "b", "c", "d", "e", "f", "g", "h"]));
  expect(held(plan)).toEqual([]);
});

test("relays that come and go end with every shard held once and nobody above the share", () => {
  let owners: Holder[] = Array.from({ length: 9 }, () => null);
  const turn = (me: string): void => {
    const plan = planLeases(me, leases(owners));
    owners = owners.map((owner, at) => {
      if (plan.release.includes(at - 1)) return null;
      return held(plan).includes(at - 1) ? me : owner;
    });
  };
  for (const relays of [["a"], ["a", "b"], ["a", "b", "c"]]) {
    for (let round = 0; round < 6; round += 1) for (const me of relays) turn(me);
    expect(owners).not.toContain(null);
    const counts = relays.map((me) => owners.slice(1).filter((owner) => owner === me).length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(Math.ceil(8 / relays.length));
  }
});
