import { afterAll, beforeEach, expect, test } from "vitest";
import { isolated } from "../support/stack.ts";
import { clear, finalState, openBench, quiesce } from "../support/windows/bench.ts";
import { at, heart, steps } from "../support/windows/samples.ts";

const here = await isolated("windows-deletions");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));

test.each([
  ["another metric that we take", "HKQuantityTypeIdentifierStepCount"],
  ["a type that we do not take", "HKCategoryTypeIdentifierSleepAnalysis"],
])("a deletion whose type is %s finds its row all the same", async (_, type) => {
  const [wanted, other] = [heart("2026-11-10T09:00:00Z"), heart("2026-11-10T10:00:00Z")];
  await bench.stage([wanted, other, steps("2026-11-12T09:00:00Z", 5)]);
  await quiesce(bench);
  await bench.delete([wanted.sample_id], type);
  await quiesce(bench);
  const state = await finalState(bench);
  expect(state.days["2026-11-10"]?.map((row) => row.sample_id)).toEqual([other.sample_id]);
  expect(state.tombstones).toMatchObject([{ resolved: true }]);
});

test("deleting an id that is staged takes its older copy out of another day's object too", async () => {
  const instant = "2026-11-10T22:30:00Z";
  const older = heart(instant, { name: "moved" });
  const tokyo = { tz: "Asia/Tokyo", local_date: "2026-11-11" };
  const newer = heart(instant, { name: "moved", ...tokyo, received_at: older.received_at - 1 });
  const kept = heart("2026-11-10T09:00:00Z");
  await bench.stage([older, kept]);
  bench.now = at("2026-11-13T00:00:00Z");
  await quiesce(bench);
  await bench.stage([newer]);
  await bench.delete([newer.sample_id]);
  await quiesce(bench);
  const state = await finalState(bench);
  expect(Object.keys(state.days)).toEqual(["2026-11-10"]);
  expect(state.days["2026-11-10"]?.map((row) => row.sample_id)).toEqual([kept.sample_id]);
  expect(state.staged).toEqual([]);
  expect(state.waiting).toEqual([]);
});
