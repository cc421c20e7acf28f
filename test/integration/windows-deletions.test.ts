import { afterAll, beforeEach, expect, test } from "vitest";
import { isolated } from "../support/stack.ts";
import { clear, finalState, openBench, quiesce } from "../support/windows/bench.ts";
import { at, heart, id, steps } from "../support/windows/samples.ts";

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

test.each([
  ["a few", 3],
  ["very many", 700],
])("deleted rows and their twins stay out among %s other deletions", async (_, others) => {
  const [wanted, kept] = [heart("2026-11-10T09:00:00Z"), heart("2026-11-10T10:00:00Z")];
  await bench.stage([wanted, kept]);
  await quiesce(bench);
  await bench.delete([wanted.sample_id]);
  await bench.db.query(
    `insert into sample_tombstones (athlete_id, sample_id, reason, deleted_at, resolved_at)
     select athlete_id, gen_random_uuid(), 'deleted', deleted_at, deleted_at
     from sample_tombstones, generate_series(1, $1::int)`,
    [others],
  );
  await quiesce(bench);
  const twin = { ...wanted, sample_id: id("its twin"), attributes: { ...wanted.attributes, synthetic: true as const } };
  await bench.stage([twin]);
  await quiesce(bench);
  const { days, staged, waiting } = await finalState(bench);
  expect(days["2026-11-10"]?.map((row) => row.sample_id)).toEqual([kept.sample_id]);
  expect([staged, waiting]).toEqual([[], []]);
});
