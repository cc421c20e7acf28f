import { afterAll, beforeEach, expect, test } from "vitest";
import { SWEEP_STEPS, disown, noteUnknownObjects, sweep } from "../../src/windows/sweeper.ts";
import { isolated } from "../support/stack.ts";
import { clear, finalState, openBench, pointedKeys, storedKeys } from "../support/windows/bench.ts";
import { HOUR, at, night } from "../support/windows/samples.ts";

const here = await isolated("windows-sweeper");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));

const DAY = "2026-11-20";
const GRACE = 8 * 24 * HOUR;
const CLOSED = at("2026-11-21T12:00:00Z");
const unknown = "health_streams/athlete=a_anna/month=2026-11/2026-11-19.g9.0123456789abcdef.parquet";

const note = (key: string, reason: "writing" | "superseded") =>
  bench.db.query(`insert into object_intents (object_key, athlete_id, reason, noted_at) values ($1, 'anna', $2, $3)`, [
    key,
    reason,
    new Date(bench.now),
  ]);
const intents = () => bench.db.query(`select object_key from object_intents`);

test("an object that nothing points to goes after the grace period, not before", async () => {
  await note(unknown, "superseded");
  await bench.objects.put(unknown, Buffer.from("x"));
  bench.now += GRACE - 1;
  expect(await sweep(bench.deps)).toBe(0);
  bench.now += 1;
  expect(await sweep(bench.deps)).toBe(1);
  expect(await storedKeys(bench)).toEqual([]);
  expect(await intents()).toEqual([]);
});

test("killed at any step, a sweeper that runs again finishes the work", async () => {
  for (const step of SWEEP_STEPS) {
    await clear(bench);
    await note(unknown, "writing");
    await bench.objects.put(unknown, Buffer.from("x"));
    bench.now += GRACE;
    bench.onStep = (reached) => {
      if (reached === step) throw new Error(`killed at ${step}`);
    };
    await expect(sweep(bench.deps)).rejects.toThrow(step);
    bench.onStep = () => undefined;
    bench.now += 1;
    await sweep(bench.deps);
    expect([step, await storedKeys(bench), await intents()]).toEqual([step, [], []]);
  }
});

test("an object that a pointer names is never condemned, whatever the intents say", async () => {
  await bench.stage(night(DAY));
  bench.now = CLOSED;
  await bench.settle();
  const [key] = await pointedKeys(bench);
  await note(key as string, "superseded");
  bench.now += 2 * GRACE;
  expect(await sweep(bench.deps)).toBe(0);
  expect(await storedKeys(bench)).toEqual([key]);
});

test.each(["pane.noted", "pane.put-some", "pane.put", "pane.begun"])(
  "an uploader that slept at %s until its object was swept starts over and leaves no orphan",
  async (sleepsAt) => {
    await bench.stage(night(DAY));
    await bench.settle();
    bench.now = CLOSED;
    bench.onStep = async (step) => {
      if (step !== sleepsAt) return;
      bench.onStep = () => undefined;
      bench.now += GRACE + 1;
      expect(await sweep(bench.deps)).toBe(1);
    };
    await bench.settle();
    const state = await finalState(bench);
    expect(state.days[DAY]).toHaveLength(24);
    expect(state.staged).toEqual([]);
    bench.now += GRACE + 1;
    await sweep(bench.deps);
    expect(await storedKeys(bench)).toEqual(await pointedKeys(bench));
    expect(await intents()).toEqual([]);
  },
);

test("a commit in progress is not overtaken: an intent being used cannot be condemned", async () => {
  await bench.stage(night(DAY));
  await bench.settle();
  bench.now = CLOSED;
  bench.onStep = async (step) => {
    if (step !== "pane.fired") return;
    bench.onStep = () => undefined;
    bench.now += GRACE + 1;
    // The intent's row is locked by the pane: the sweeper passes over it.
    expect(await sweep(bench.deps)).toBe(0);
  };
  await bench.settle();
  expect((await finalState(bench)).days[DAY]).toHaveLength(24);
});

test("a key that a late uploader noted anew while it was being swept is swept again", async () => {
  await note(unknown, "writing");
  bench.now += GRACE;
  bench.onStep = async (step) => {
    if (step !== "sweep.deleted") return;
    bench.onStep = () => undefined;
    await bench.objects.put(unknown, Buffer.from("x"));
    await disown(bench.deps, "anna", [unknown]);
  };
  await sweep(bench.deps);
  expect(await intents()).toEqual([{ object_key: unknown }]);
  bench.now += GRACE;
  await sweep(bench.deps);
  expect([await storedKeys(bench), await intents()]).toEqual([[], []]);
});

test("an object without pointer and intent is found by listing, and swept", async () => {
  await bench.stage(night(DAY));
  bench.now = CLOSED;
  await bench.settle();
  await bench.objects.put(unknown, Buffer.from("x"));
  expect(await noteUnknownObjects(bench.deps)).toBe(0);
  bench.now = Date.now() + GRACE + HOUR;
  expect(await noteUnknownObjects(bench.deps)).toBe(1);
  expect(await noteUnknownObjects(bench.deps)).toBe(0);
  await sweep(bench.deps);
  expect(await storedKeys(bench)).toEqual(await pointedKeys(bench));
});
