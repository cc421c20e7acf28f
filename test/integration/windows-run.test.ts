import { afterAll, beforeEach, expect, test } from "vitest";
import type { Sample } from "../../src/domain/sample.ts";
import { createWindowsStage } from "../../src/windows/stage.ts";
import { isolated } from "../support/stack.ts";
import { type Bench, clear, finalState, openBench, quiesce } from "../support/windows/bench.ts";
import { NIGHT, at, heart, id, night, segment, slept, steps, variability } from "../support/windows/samples.ts";

const here = await isolated("windows-run");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));

const until = async (true_: (it: Bench) => Promise<boolean>): Promise<void> => {
  while (!(await true_(bench))) await new Promise((resolve) => setTimeout(resolve, 20));
};
const hasMetric = (athlete: string) => async (it: Bench) =>
  (await it.db.query(`select 1 from athlete_metrics where athlete_id = $1`, [athlete])).length > 0;
const of = (athlete_id: string): Sample => steps("2026-11-20T09:00:00Z", 900, { athlete_id });

test("a running stage fires what it owns and nothing else, and ends when told", async () => {
  const ending = new AbortController();
  const stage = createWindowsStage(bench.deps);
  const running = stage.run(ending.signal);
  await bench.stage([of("anna")]);
  await bench.stage([of("berta")]);
  await bench.db.query(`update windows set topic_partition = 5 where athlete_id = 'berta'`);
  stage.own([0]);
  await until(hasMetric("anna"));
  expect(await hasMetric("berta")(bench)).toBe(false);
  stage.own([5]);
  await until(hasMetric("berta"));
  ending.abort();
  await running;
});

test("one athlete's trouble that will pass is put aside; the others go on, and it heals", async () => {
  const ending = new AbortController();
  let broken = true;
  const stage = createWindowsStage({
    ...bench.deps,
    clock: { now: () => Date.now() },
    isTransient: (error) => (error as Error).message === "away",
    objects: {
      ...bench.deps.objects,
      put: (key, body) =>
        broken && key.includes("a_anna") ? Promise.reject(new Error("away")) : bench.deps.objects.put(key, body),
    },
  });
  const gone = async (athlete: string) =>
    (await bench.db.query(`select 1 from health_streams where athlete_id = $1`, [athlete])).length > 0;
  await bench.stage([steps("2026-10-01T09:00:00Z", 900)]);
  await bench.stage([steps("2026-10-01T09:00:00Z", 900, { athlete_id: "berta" })]);
  stage.own([0]);
  const running = stage.run(ending.signal);
  await until(() => gone("berta"));
  expect(await gone("anna")).toBe(false);
  broken = false;
  await until(() => gone("anna"));
  ending.abort();
  await running;
});

test("nobody waits for an athlete whose objects are slow, and the slow pane is finished before the stage ends", async () => {
  const ending = new AbortController();
  const slow = Promise.withResolvers<void>();
  const stage = createWindowsStage({
    ...bench.deps,
    objects: {
      ...bench.deps.objects,
      put: async (key, body) => {
        if (key.includes("a_anna")) await slow.promise;
        await bench.deps.objects.put(key, body);
      },
    },
  });
  bench.now = at("2026-11-20T12:00:00Z");
  await bench.stage([steps("2026-10-01T09:00:00Z", 900)]);
  bench.now += 3_600_000;
  stage.own([0]);
  const running = stage.run(ending.signal);
  await until(async () => (await bench.db.query(`select 1 from object_intents`)).length > 0);
  await bench.stage([of("berta")]);
  stage.wake();
  await until(hasMetric("berta"));
  ending.abort();
  slow.resolve();
  await running;
  expect(Object.keys((await finalState(bench)).days)).toEqual(["2026-10-01"]);
});

test("a bug ends the stage", async () => {
  await bench.stage([of("anna")]);
  bench.onStep = () => {
    throw new TypeError("a bug");
  };
  const stage = createWindowsStage(bench.deps);
  stage.own([0]);
  await expect(stage.run(new AbortController().signal)).rejects.toThrow("a bug");
});

/** A generator of numbers in [0, 1) from a seed that the test's name shows. */
const randomOf = (seed: number) => (): number => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 4_294_967_296;
  return seed / 4_294_967_296;
};

const walk = steps("2026-11-19T09:00:00Z", 900);
const moved = heart("2026-11-19T22:30:00Z", { name: "moved" });
const received: Sample[] = [
  ...night("2026-11-19"),
  ...night("2026-11-20", 47),
  walk,
  { ...walk, sample_id: id("twin"), attributes: { ...walk.attributes, synthetic: true } },
  moved,
  { ...moved, tz: "Asia/Tokyo", local_date: "2026-11-20", received_at: moved.received_at - 1 },
  steps("2026-11-19T22:55:00Z", 100),
  steps("2026-11-19T22:57:00Z", 80, { source: "Phone", attributes: { device_class: "phone" } }),
  // A night over midnight with a stage too many, a phone that says the same, and days that remember.
  ...slept("2026-11-19T22:30:00Z", NIGHT),
  segment("2026-11-20T00:30:00Z", "deep", 60, { name: "mistaken" }),
  segment("2026-11-19T22:40:00Z", "asleep", 400, { source: "Phone", attributes: { device_class: "phone" } }),
  ...slept("2026-11-18T23:30:00Z", NIGHT),
  ...["2026-11-19T02:00:00Z", "2026-11-20T02:00:00Z", "2026-11-20T13:00:00Z"].map((time, n) =>
    variability(time, 40 + n),
  ),
];
const deleted = [...[3, 30].map((n) => (received[n] as Sample).sample_id), id("mistaken")];

/** Everything that was received, in a random order and random pieces, with panes in between. */
const playShuffled = async (random: () => number) => {
  await clear(bench);
  const events = [...received, ...deleted]
    .map((event) => ({ event, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ event }) => event);
  bench.now = at("2026-11-19T12:00:00Z");
  while (events.length > 0) {
    const piece = events.splice(0, 1 + Math.floor(random() * 20));
    await bench.stage(piece.filter((event) => typeof event !== "string"));
    const ids = piece.filter((event) => typeof event === "string");
    if (ids.length > 0) await bench.delete(ids);
    bench.now += Math.floor(random() * 24) * 3_600_000;
    if (random() < 0.7) await bench.settle();
  }
  bench.now = Math.max(bench.now, at("2026-11-25T12:00:00Z"));
  await quiesce(bench);
  const { tombstones, ...state } = await finalState(bench);
  return { ...state, tombstones: tombstones.map(({ resolved: _, ...stone }) => stone) };
};

/** `SEED=4711 ORDERS=100` repeats or widens a run. */
const first = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1_000_000));
const orders = Number(process.env["ORDERS"] ?? 8);
test(`the final state depends on what was received, not on its order (seeds ${first} to ${first + orders - 1})`, async () => {
  const expected = await playShuffled(randomOf(first));
  expect(expected.waiting).toEqual([]);
  expect(expected.staged).toEqual([]);
  expect(Object.keys(expected.days)).toEqual(["2026-11-19", "2026-11-20"]);
  expect(Object.keys(expected.streams)).toHaveLength(3);
  for (let seed = first + 1; seed < first + orders; seed += 1) {
    expect({ seed, state: await playShuffled(randomOf(seed)) }).toEqual({ seed, state: expected });
  }
});
