import * as fc from "fast-check";
import { afterAll, beforeEach, expect, test } from "vitest";
import { parquetFormat } from "../../src/io/parquet.ts";
import { createDayObjects } from "../../src/windows/day-objects.ts";
import { PANE_STEPS } from "../../src/windows/commit.ts";
import { firePanes } from "../../src/windows/pane.ts";
import { openEdits } from "../support/edits.ts";
import { isolated } from "../support/stack.ts";
import { asStaged, days } from "../support/travel.ts";
import { clear, counters, finalState, openBench, quiesce } from "../support/windows/bench.ts";
import { at } from "../support/windows/samples.ts";

const here = await isolated("edits-rezone");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));
const { done } = await openEdits(bench);

type Zones = { from: string; zone: string }[];
/** `sparse`: without what the days around read as well, so that each day hangs on its own being touched. */
type Life = { first: string; count: number; sparse?: boolean };

const put = (zones: Zones) => done("PUT", "settings", { zones });
const OWN_DAY = ["StepCount", "BodyMass"];
const stage = async ({ first, count, sparse }: Life): Promise<void> => {
  const sent = days(first, count).filter(
    ({ series }) => sparse !== true || OWN_DAY.some((type) => series.type.endsWith(type)),
  );
  await bench.stage(await asStaged(bench, sent), "backfill");
};
const close = async ({ first }: Life): Promise<void> => {
  bench.now = Math.max(bench.now, at(`${first}T00:00:00Z`) + 60 * 86_400_000);
  await quiesce(bench);
};

/** Where it ends when the settings were known before the first sample. */
const knownBefore = async (life: Life, zones: Zones) => {
  await clear(bench);
  await put(zones);
  await stage(life);
  await close(life);
  return finalState(bench);
};

/** The same when all days have closed under `before`, and the settings are set right later, one after the other. */
const setRightLater = async (life: Life, before: Zones, after: readonly Zones[]) => {
  await clear(bench);
  await put(before);
  await stage(life);
  await close(life);
  for (const zones of after) {
    await put(zones);
    await close(life);
  }
  return finalState(bench);
};

const always = (zone: string): Zones => [{ from: "2000-01-01T00:00:00Z", zone }];
const journey = (home: string, away: string, from: string, to: string): Zones => [
  ...always(home),
  { from, zone: away },
  { from: to, zone: home },
];
const MARCH = { first: "2026-03-27", count: 4 };
const OCTOBER = { first: "2026-10-23", count: 4 };
const SUMMER = { first: "2026-07-10", count: 4 };

test.each<[name: string, life: Life, before: Zones, after: Zones]>([
  ["nothing was known", SUMMER, [], always("Asia/Tokyo")],
  [
    "a flight to the west, over a day of 30 hours",
    SUMMER,
    always("Europe/Amsterdam"),
    journey("Europe/Amsterdam", "America/New_York", "2026-07-11T20:00:00Z", "2026-07-13T20:00:00Z"),
  ],
  [
    "a flight to the east, over a day of 17 hours",
    SUMMER,
    always("Europe/Amsterdam"),
    journey("Europe/Amsterdam", "Asia/Tokyo", "2026-07-11T09:00:00Z", "2026-07-13T09:00:00Z"),
  ],
  [
    "over the date line, a day twice",
    SUMMER,
    always("Pacific/Auckland"),
    journey("Pacific/Auckland", "Pacific/Pago_Pago", "2026-07-11T11:00:00Z", "2026-07-13T11:00:00Z"),
  ],
  ["from one end of the world to the other", SUMMER, always("Pacific/Pago_Pago"), always("Pacific/Kiritimati")],
  ["clocks forward", MARCH, always("UTC"), always("Europe/Amsterdam")],
  ["clocks back", OCTOBER, always("UTC"), always("Europe/Amsterdam")],
  ["half an hour", SUMMER, always("Europe/Amsterdam"), always("Asia/Kolkata")],
  ["three quarters of an hour", SUMMER, always("Europe/Amsterdam"), always("Asia/Kathmandu")],
  ["half an hour of summer time", { first: "2026-04-03", count: 4 }, [], always("Australia/Lord_Howe")],
  ["a setting taken back", SUMMER, always("Asia/Tokyo"), []],
  [
    "west, with nothing but steps and weights",
    { ...SUMMER, sparse: true },
    always("Asia/Tokyo"),
    always("America/Los_Angeles"),
  ],
  [
    "the world over, with nothing but steps and weights",
    { ...SUMMER, sparse: true },
    always("Pacific/Pago_Pago"),
    always("Pacific/Kiritimati"),
  ],
])("a zone set right after all days had closed ends where it would have begun: %s", async (_, life, before, after) => {
  const expected = await knownBefore(life, after);
  const moved = await setRightLater(life, before, [after]);
  expect(moved.staged).toEqual([]);
  expect(moved.waiting).toEqual([]);
  expect(moved).toEqual(expected);
});

test("replaying what was sent changes nothing after the move", async () => {
  await setRightLater(SUMMER, [], [always("Asia/Kathmandu")]);
  const before = [
    await finalState(bench),
    (await counters(bench))?.["revisions"],
    (await counters(bench))?.["generations"],
  ];
  await stage(SUMMER);
  await close(SUMMER);
  expect([
    await finalState(bench),
    (await counters(bench))?.["revisions"],
    (await counters(bench))?.["generations"],
  ]).toEqual(before);
});

test("a locked value survives the move, with what the sync would say now beside it", async () => {
  await put([]);
  await stage(SUMMER);
  await close(SUMMER);
  const date = "2026-07-12";
  const before = await done("PATCH", `metrics/${date}/steps/derived`, { value: 12_345, locked: true });
  await put(always("Pacific/Kiritimati"));
  await close(SUMMER);
  const [row] = await bench.db.query<{ value: number; synced_value: number }>(
    `select value, synced_value from athlete_metrics where metric = 'steps' and date = $1`,
    [date],
  );
  expect(row?.value).toBe(12_345);
  expect(row?.synced_value).not.toBe(before.synced_value);
  const expected = await knownBefore(SUMMER, always("Pacific/Kiritimati"));
  expect(expected.metrics.find((one) => one["metric"] === "steps" && one["date"] === date)?.["value"]).toBe(
    row?.synced_value,
  );
});

test("an open day is set right as well, before and after it closes", async () => {
  const life = { first: "2026-07-10", count: 3 };
  const zones = journey("Europe/Amsterdam", "America/New_York", "2026-07-12T00:00:00Z", "2026-08-01T00:00:00Z");
  const expected = await knownBefore(life, zones);
  await clear(bench);
  bench.now = at("2026-07-12T23:50:00Z");
  await put(always("Europe/Amsterdam"));
  await stage(life);
  await bench.settle();
  await put(zones);
  await close(life);
  expect(await finalState(bench)).toEqual(expected);
});

/** Fires due days one at a time, in an order of chance: each job must leave every row somewhere. */
const fireOneByOne = async (order: readonly number[]): Promise<void> => {
  const deps = { ...bench.deps, dayObjects: createDayObjects(bench.objects, parquetFormat) };
  for (let n = 0; ; n += 1) {
    const due = await bench.db.query<{ local_date: string }>(
      `select local_date from windows where dirty > fired order by local_date`,
    );
    const day = due[(order[n % order.length] ?? 0) % Math.max(1, due.length)];
    if (!day) return;
    await firePanes(deps, "anna", [{ date: day.local_date, pane: "late" }]);
    expect(await standing()).toEqual(lives);
  }
};

class Killed extends Error {}
/** One transaction: what matters is before, amid and behind what moves. `windows-kill.test.ts` has every step. */
const DYING = PANE_STEPS.filter((step) => /checked|restaged|pointer|committed/.test(step));

test("killed in its transaction while rows move, a pane that runs again leaves each row in its place", async () => {
  const life = { first: "2026-07-10", count: 2, sparse: true };
  const [before, after] = [always("Pacific/Pago_Pago"), always("Pacific/Kiritimati")];
  const expected = await knownBefore(life, after);
  for (const step of DYING) {
    await setRightLater(life, before, []);
    lives = await standing();
    await put(after);
    const kills = new Set<number>();
    for (let n = 0; n < 3; n += 1) {
      bench.onStep = (reached) => {
        if (reached !== step || kills.has(n)) return;
        kills.add(n);
        throw new Killed();
      };
      await expect(fireOneByOne([n])).rejects.toBeInstanceOf(Killed);
      expect(await standing()).toEqual(lives);
    }
    await close(life);
    expect({ step, state: await finalState(bench) }).toEqual({ step, state: expected });
  }
});

/** Ids that stand anywhere. */
const standing = async (): Promise<string[]> => {
  const { staged, days: objects } = await finalState(bench);
  const stored = Object.values(objects).flatMap((rows) => rows.map((row) => row.sample_id));
  return [...new Set([...staged.map((row) => String(row["sample_id"])), ...stored])].toSorted();
};
let lives: string[] = [];

const SEED = Number(process.env["FAULT_SEED"] ?? Date.now() % 1_000_000);
const ZONES = ["Europe/Amsterdam", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Pago_Pago", "Pacific/Kiritimati"];
const history: fc.Arbitrary<Zones> = fc
  .uniqueArray(fc.record({ hour: fc.nat(24 * 7), zone: fc.constantFrom(...ZONES) }), {
    maxLength: 3,
    selector: ({ hour }) => hour,
  })
  .map((entries) =>
    entries
      .toSorted((a, b) => a.hour - b.hour)
      .map(({ hour, zone }) => ({ from: new Date(at("2026-07-09T00:00:00Z") + hour * 3_600_000).toISOString(), zone })),
  );

test(`days may fire one by one in any order, and no row is ever nowhere (seed ${SEED})`, async () => {
  const orders = fc.array(fc.nat(20), { minLength: 5, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(history, history, fc.tuple(orders, fc.boolean()), async (before, after, [order, sparse]) => {
      const life = { first: "2026-07-10", count: 3, sparse };
      const expected = await knownBefore(life, after);
      await setRightLater(life, before, []);
      lives = await standing();
      await put(after);
      await fireOneByOne(order);
      await close(life);
      expect(await finalState(bench)).toEqual(expected);
    }),
    { seed: SEED, numRuns: 4, endOnFailure: true },
  );
});

test(`whatever was believed before, the last settings decide alone (seed ${SEED})`, async () => {
  const between = fc.array(history, { maxLength: 2 });
  await fc.assert(
    fc.asyncProperty(history, fc.tuple(between, fc.boolean()), history, async (before, [believed, sparse], after) => {
      const life = { first: "2026-07-10", count: 3, sparse };
      expect(await setRightLater(life, before, [...believed, after])).toEqual(await knownBefore(life, after));
    }),
    { seed: SEED, numRuns: 4, endOnFailure: true },
  );
});
