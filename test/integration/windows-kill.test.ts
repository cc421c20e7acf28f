import { afterAll, beforeEach, expect, test } from "vitest";
import type { Sample } from "../../src/domain/sample.ts";
import { PANE_STEPS } from "../../src/windows/commit.ts";
import { DELETION_STEPS } from "../../src/windows/deletions.ts";
import { HISTORY_STEPS } from "../../src/windows/history-pass.ts";
import { sweep } from "../../src/windows/sweeper.ts";
import { isolated } from "../support/stack.ts";
import {
  type Bench,
  clear,
  finalState,
  openBench,
  pointedKeys,
  quiesce,
  storedKeys,
} from "../support/windows/bench.ts";
import { HOUR, at, heart, id, night, slept, steps, variability } from "../support/windows/samples.ts";

const here = await isolated("windows-kill");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));

const DAY = "2026-11-20";
const twinOf = (sample: Sample): Sample => ({
  ...sample,
  sample_id: id("synthetic"),
  attributes: { ...sample.attributes, synthetic: true },
});

class Killed extends Error {}

/** The first time that `step` is reached after this call, the pane dies there. Answers whether it ever did. */
const killAt = (it: Bench, step: string | null): { happened: boolean } => {
  const kill = { happened: false };
  it.onStep = (reached) => {
    if (reached !== step || kill.happened) return;
    kill.happened = true;
    throw new Killed(reached);
  };
  return kill;
};

const again = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    await work();
  }
};

const ASLEEP = slept("2026-11-19T23:30:00Z", [
  ["core", 120],
  ["rem", 60],
]);
/** A week later something is remembered that reads what this day remembers. */
const LATER = "2026-11-27";

/**
 * An open day with a night that closes, and then is corrected, deleted from, twinned and moved from; killed once in
 * every act.
 */
const play = async (step: string | null): Promise<number> => {
  let kills = 0;
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    const kill = killAt(bench, step);
    await again(work);
    if (kill.happened) kills += 1;
  };
  const walk = steps("2026-11-20T09:00:00Z", 900);
  const moved = heart("2026-11-20T22:30:00Z", { name: "moved" });
  const tokyo = { ...moved, tz: "Asia/Tokyo", local_date: "2026-11-21", received_at: moved.received_at + 1 };
  await bench.stage([...night(DAY), ...ASLEEP, twinOf(walk), tokyo]);
  await act(() => bench.settle());
  bench.now = at("2026-11-28T12:00:00Z");
  await bench.stage([variability(`${LATER}T09:00:00Z`, 60)]);
  bench.now += 60_000;
  await act(() => bench.settle());
  await bench.stage([walk, moved, steps("2026-11-20T10:00:00Z", 50), variability("2026-11-20T01:00:00Z", 40)]);
  await bench.delete([(night(DAY)[3] as Sample).sample_id]);
  await act(() => quiesce(bench));
  await quiesce(bench);
  return kills;
};

test("killed at any step of its commit order, a pane that runs again ends where an undisturbed one does", async () => {
  await play(null);
  const undisturbed = await finalState(bench);
  expect(Object.keys(undisturbed.days)).toEqual([DAY, LATER]);
  expect(Object.keys(undisturbed.streams)).toHaveLength(1);
  expect(undisturbed.waiting).toEqual([]);
  expect(undisturbed.staged).toEqual([]);
  for (const step of [...PANE_STEPS, ...HISTORY_STEPS, ...DELETION_STEPS]) {
    await clear(bench);
    const kills = await play(step);
    // The first act's pane is an early one, which writes no object.
    const least = step === "pane.put-some" ? 2 : step.startsWith("pane.") ? 3 : 1;
    expect({ step, enough: kills >= least }).toEqual({ step, enough: true });
    expect({ step, state: await finalState(bench) }).toEqual({ step, state: undisturbed });
    expect(await storedKeys(bench)).toEqual(expect.arrayContaining(await pointedKeys(bench)));
    bench.now += 9 * 24 * HOUR;
    bench.onStep = () => undefined;
    await sweep(bench.deps);
    expect({ step, keys: await storedKeys(bench) }).toEqual({ step, keys: await pointedKeys(bench) });
  }
});

test("a worker that slept before its commit changes nothing once a successor has fired", async () => {
  await bench.stage(night(DAY));
  await bench.settle();
  bench.now = at("2026-11-21T12:00:00Z");
  let asleep = false;
  bench.onStep = async (step) => {
    if (step !== "pane.put" || asleep) return;
    asleep = true;
    await bench.stage([steps("2026-11-20T10:00:00Z", 50)]);
    await quiesce(bench);
  };
  await bench.settle();
  await quiesce(bench);
  expect(asleep).toBe(true);
  const state = await finalState(bench);
  expect(state.days[DAY]).toHaveLength(25);
  expect(state.staged).toEqual([]);
  bench.now += 9 * 24 * HOUR;
  await sweep(bench.deps);
  expect(await storedKeys(bench)).toEqual(await pointedKeys(bench));
});

test("a deletion between a pane's snapshot and its commit is never undone by it", async () => {
  const rows = night(DAY);
  const gone = (rows[0] as Sample).sample_id;
  await bench.stage(rows);
  await bench.settle();
  bench.now = at("2026-11-21T12:00:00Z");
  bench.onStep = async (step) => {
    if (step !== "pane.put") return;
    bench.onStep = () => undefined;
    await bench.delete([gone]);
  };
  await bench.settle();
  const state = await finalState(bench);
  expect(state.days[DAY]?.map((row) => row.sample_id)).not.toContain(gone);
});

test("a row that is replaced in staging while its day is written stays in staging for the next pane", async () => {
  const row = steps("2026-11-20T09:00:00Z", 900, { attributes: { device_class: "watch", sync_version: 1 } });
  await bench.stage([row]);
  await bench.settle();
  bench.now = at("2026-11-21T12:00:00Z");
  bench.onStep = async (step) => {
    if (step !== "pane.put") return;
    bench.onStep = () => undefined;
    await bench.stage([{ ...row, value: 901, attributes: { device_class: "watch", sync_version: 2 } }]);
  };
  await bench.settle();
  expect((await finalState(bench)).staged).toHaveLength(1);
  await quiesce(bench);
  const state = await finalState(bench);
  expect(state.staged).toEqual([]);
  expect(state.days[DAY]?.map((sample) => sample.value)).toEqual([901]);
});
