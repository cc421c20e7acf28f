import { describe, expect, test } from "vitest";
import { STEPS } from "../../../src/app-worker.ts";
import { random } from "../../../bench/generator/random.ts";
import { UNWATCHED, WATCHED, type Way, createPace, paced, restAfter } from "../../../src/pace.ts";

const SEED = 1 + Math.floor(Math.random() * 1e6);
const PIECE_MS = { least: 5, most: 60 };
const RUN_MS = 60_000;

type Worker = { rests: boolean; left: number; since: number; waited: number; until: number; ran: number };

/**
 * Processes that always have work, on two cores that are shared fairly, a millisecond at a time. What each one got, how many stood in line, and how much of the cores was used.
 */
const shared = (rests: readonly boolean[], way: Way = WATCHED) => {
  const cores = 2;
  const dice = random(SEED, "pieces");
  const piece = (): number => dice.whole(PIECE_MS.least, PIECE_MS.most);
  const workers = rests.map((one): Worker => ({ rests: one, left: piece(), since: 0, waited: 0, until: 0, ran: 0 }));
  let [line, used] = [0, 0];
  for (let now = 0; now < RUN_MS; now += 1) {
    const ready = workers.filter(({ until }) => until <= now);
    const share = Math.min(1, cores / ready.length);
    line += Math.max(0, ready.length - cores) / RUN_MS;
    used += (ready.length * share) / (cores * RUN_MS) || 0;
    for (const worker of ready) {
      worker.ran += share;
      worker.left -= share;
      worker.waited += 1 - share;
      if (worker.left > 0) continue;
      const turn = { elapsed: now + 1 - worker.since, waited: worker.waited };
      worker.until = now + 1 + (worker.rests ? restAfter(turn, way) : 0);
      Object.assign(worker, { left: piece(), since: worker.until, waited: 0 });
    }
  }
  return { ran: workers.map(({ ran }) => ran / RUN_MS), line, used };
};

describe(`the pace of work that may take longer, seed ${SEED}`, () => {
  test("where nobody waits for a core nobody rests", () => {
    expect(restAfter({ elapsed: 400, waited: 0 }, UNWATCHED)).toBe(0);
    expect(shared([true, true]).ran).toEqual([1, 1]);
  });

  test("no rest is longer than the work before it, three times that where nobody watches, or than five seconds", () => {
    expect(restAfter({ elapsed: 400, waited: 50 }, WATCHED)).toBe(200);
    expect(restAfter({ elapsed: 400, waited: 300 }, WATCHED)).toBe(400);
    expect(restAfter({ elapsed: 400, waited: 50 }, UNWATCHED)).toBe(600);
    expect(restAfter({ elapsed: 400, waited: 300 }, UNWATCHED)).toBe(1200);
    expect(restAfter({ elapsed: 60_000, waited: 50_000 }, UNWATCHED)).toBe(5_000);
  });

  test("among themselves they keep the cores busy, with a fraction of the line before them", () => {
    for (const many of [3, 4, 6, 9]) {
      const all = Array.from({ length: many }, () => true);
      const [resting, never] = [shared(all), shared(all.map(() => false))];
      expect(resting.used).toBeGreaterThan(0.6);
      expect(resting.line).toBeLessThan(0.65 * never.line);
    }
  });

  test.each([
    ["half", WATCHED, 0.48],
    ["where nobody watches a quarter", UNWATCHED, 0.24],
  ] as const)("however many others never rest, %s of the speed is left", (_, way, least) => {
    for (const others of [1, 2, 5, 20]) {
      const rest = Array.from({ length: others }, () => false);
      const [some = 0] = shared([true, ...rest], way).ran;
      const [full = 0] = shared([false, ...rest]).ran;
      expect(some).toBeGreaterThanOrEqual(least * full);
    }
  });

  test("everything under way rests together, and what passed in a rest is not counted as work", async () => {
    const clock = { now: 0, waited: 0, slept: [] as number[] };
    const pace = createPace(WATCHED, {
      now: () => clock.now,
      waited: () => clock.waited,
      sleep: (ms) => Promise.resolve(clock.slept.push(ms)),
    });
    clock.now = 100;
    clock.waited = 10;
    await Promise.all([pace(), pace()]);
    expect(clock.slept).toEqual([40, 40]);
    clock.now = 120;
    await pace();
    expect(clock.slept).toEqual([40, 40, 20]);
    clock.now = 150;
    clock.waited = 110;
    await pace();
    expect(clock.slept).toEqual([40, 40, 20, 10]);
    clock.now = 170;
    await pace();
    expect(clock.slept).toEqual([40, 40, 20, 10]);
  });
});

test("a pace by the scheduler of this machine resolves", async () => {
  const pace = createPace(WATCHED);
  await expect(pace()).resolves.toBeUndefined();
});

test("rests come between pieces of work only: never where a step stands inside a transaction", async () => {
  const told: string[] = [];
  let rests: string[] = [];
  for (const step of STEPS) {
    await paced(
      (name) => void told.push(name),
      () => Promise.resolve(void rests.push(step)),
    )(step);
  }
  expect(told).toEqual(STEPS);
  rests = [...new Set(rests)].toSorted();
  expect(rests).toEqual([
    "history.committed",
    "pane.committed",
    "pane.decided",
    "pane.put",
    "pane.read",
    "roll.committed",
    "roll.read",
    "staging.decoded",
    "staging.woken",
  ]);
});
