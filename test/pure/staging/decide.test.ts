import { expect, test } from "vitest";
import {
  aChunk,
  aSent,
  aSeries,
  at,
  deleting,
  heartRates,
  HR,
  NOON,
  RECEIVED,
  STEPS,
  uuid,
} from "../../support/staging/chunks.ts";
import { Tables } from "../../support/staging/tables.ts";

const [A, B] = [uuid(1), uuid(2)];
const ids = (tables: Tables): string[] =>
  tables
    .live()
    .map((row) => row.sample_id)
    .toSorted();
const dates = (tables: Tables): string[] => [...tables.windows.values()].map((w) => w.local_date).toSorted();

test("a sample is staged under its own day's number, and the days that can read it are dirty", () => {
  const tables = new Tables();
  const { rows, tally } = tables.apply([heartRates([{ sample_id: A }])]);
  expect(tally).toEqual({ stored: 1 });
  expect(rows.inserts).toMatchObject([{ sample_id: A, local_date: "2026-03-10", value: 57 }]);
  // Resting heart rate reads the night before: a heart rate touches its date and the next.
  expect(dates(tables)).toEqual(["2026-03-10", "2026-03-11"]);
  expect(rows.wakes).toEqual([{ athlete_id: "a1", dates: ["2026-03-10", "2026-03-11"] }]);
});

test("the same again changes nothing, and is counted", () => {
  const tables = new Tables();
  tables.apply([heartRates([{ sample_id: A }])]);
  const { rows, tally } = tables.apply([heartRates([{ sample_id: A.toUpperCase() }], { received_at: RECEIVED + 5 })]);
  expect(tally).toEqual({ duplicate: 1 });
  expect([rows.windows, rows.inserts, rows.removals, rows.wakes]).toEqual([[], [], [], []]);
});

test("a deletion of a staged row removes it, fills the twin key and dirties its days", () => {
  const tables = new Tables();
  tables.apply([heartRates([{ sample_id: A }])]);
  const { rows } = tables.apply([deleting(A.toUpperCase())]);
  expect(ids(tables)).toEqual([]);
  expect(rows.tombstones).toMatchObject([
    {
      sample_id: A,
      reason: "deleted",
      found: true,
      twin_key: ["heart_rate", NOON / 1000, NOON / 1000, "Anna's Watch", 57],
    },
  ]);
  expect(rows.windows.map((w) => w.local_date)).toEqual(["2026-03-10", "2026-03-11"]);
});

test("a deletion before its sample keeps it out, and the content fills the twin key when it comes", () => {
  const tables = new Tables();
  const first = tables.apply([deleting(A)]);
  expect(first.rows.tombstones).toMatchObject([{ sample_id: A, twin_key: null, found: false }]);
  // Somebody must be woken to search closed days.
  expect(first.rows.wakes).toEqual([{ athlete_id: "a1", dates: [] }]);
  const { rows, tally } = tables.apply([heartRates([{ sample_id: A }])]);
  expect(tally).toEqual({ tombstoned: 1 });
  expect(ids(tables)).toEqual([]);
  expect(rows.tombstones).toMatchObject([
    { reason: "deleted", twin_key: ["heart_rate", ...Array(4).fill(expect.anything())] },
  ]);
  expect(tables.apply([heartRates([{ sample_id: A }])]).rows.tombstones).toEqual([]);
});

const versioned = (sample_id: string, sync_version: number) =>
  aChunk({ series: [aSeries([aSent({ sample_id, sync_id: "s", sync_version })], { bundle_id: "org.example" })] });

test.each([
  ["in order", [versioned(A, 1), versioned(B, 2)]],
  ["in reverse", [versioned(B, 2), versioned(A, 1)]],
])("of two versions the higher stays, the other is superseded: %s, apart or together", (_, all) => {
  for (const batches of [[all], all.map((one) => [one])]) {
    const tables = new Tables();
    for (const batch of batches) tables.apply(batch);
    expect(ids(tables)).toEqual([B]);
    expect([...tables.tombstones.values()]).toMatchObject([{ sample_id: A, reason: "superseded" }]);
    expect(tables.tombstones.get(`a1|${A}`)?.twin_key).not.toBeNull();
  }
});

test("of equal versions the smallest id stays", () => {
  const tables = new Tables();
  for (const chunk of [versioned(B, 1), versioned(A, 1), versioned(B, 1)]) tables.apply([chunk]);
  expect(ids(tables)).toEqual([A]);
});

test("a holder that stands in a closed day is searched for, although it was sent again with its successor", () => {
  const tables = new Tables();
  tables.apply([versioned(A, 1)]);
  // A closing pane has moved the row.
  tables.staged.clear();
  const { rows } = tables.apply([versioned(A, 1), versioned(B, 2)]);
  expect(rows.tombstones).toMatchObject([{ sample_id: A, reason: "superseded", found: false }]);
  const other = new Tables();
  other.apply([versioned(A, 1)]);
  other.staged.clear();
  expect(other.apply([versioned(B, 2)]).rows.tombstones).toMatchObject([
    { sample_id: A, reason: "superseded", twin_key: null, found: false },
  ]);
});

test("a deleted version has replaced the lower ones all the same, whichever comes first", () => {
  const orders = [
    [deleting(B), versioned(A, 1), versioned(B, 2)],
    [versioned(A, 1), versioned(B, 2), deleting(B)],
    [versioned(B, 2), deleting(B), versioned(A, 1)],
  ];
  for (const order of orders) {
    const tables = new Tables();
    for (const chunk of order) tables.apply([chunk]);
    expect(ids(tables)).toEqual([]);
  }
});

test("copies of one uuid that disagree in their moment are samples of their own; the earliest received keeps the id", () => {
  const first = heartRates([{ sample_id: A, start_at: NOON, value: 60 }], { received_at: RECEIVED });
  const later = heartRates([{ sample_id: A, start_at: NOON + 3_600_000, value: 70 }], { received_at: RECEIVED + 1 });
  const states = [[[first], [later]], [[later], [first]], [[later, first]]].map((batches) => {
    const tables = new Tables();
    for (const batch of batches) tables.apply(batch);
    expect(tables.live()).toHaveLength(2);
    expect(tables.staged.get(`a1|${A}`)).toMatchObject({ value: 60 });
    expect(tables.live().find((row) => row.value === 70)?.attributes.flags).toContain("conflict");
    return JSON.stringify(tables.state());
  });
  expect(new Set(states).size).toBe(1);
  const tables = new Tables();
  tables.apply([later, first, deleting(A)]);
  expect(ids(tables)).toEqual([]);
});

const zone = (sample_id: string, time_zone: string, start_at: number) =>
  aChunk({ series: [aSeries([aSent({ sample_id, time_zone, start_at })], { type: STEPS, unit: "count" })] });

test("a day is touched in every zone that the athlete's samples came in", () => {
  const tables = new Tables();
  tables.apply([zone(A, "Pacific/Auckland", at("2026-01-01T12:00:00Z"))]);
  expect(tables.athletes.get("a1")?.zones_seen).toEqual(["Pacific/Auckland"]);
  const { rows } = tables.apply([zone(B, "America/New_York", NOON)]);
  expect(rows.athletes).toEqual([{ athlete_id: "a1", new_zones: ["America/New_York"] }]);
  // Noon UTC is the 10th in New York and already the 11th in Auckland; resting heart rate reads a day further.
  expect(rows.windows.map((w) => w.local_date)).toEqual(["2026-03-10", "2026-03-11", "2026-03-12"]);
});

test("a zone is remembered although its only sample is deleted, whatever batch it came in", () => {
  const tables = new Tables();
  tables.apply([heartRates([{ sample_id: A, time_zone: "UTC" }]), deleting(A)]);
  tables.apply([heartRates([{ sample_id: A, time_zone: "Asia/Tokyo" }])]);
  expect(tables.athletes.get("a1")?.zones_seen).toEqual(["Asia/Tokyo", "UTC"]);
});

test("a window closes at the later of the sample's and the athlete's midnight; live wins over backfill", () => {
  const tables = new Tables();
  const settings = { zones: [{ from: 0, zone: "America/Los_Angeles" }], source_order: {} };
  tables.athletes.set("a1", { settings, erased_before: null, zones_seen: [] });
  tables.apply([heartRates([{ sample_id: A, time_zone: "UTC" }])], "backfill");
  const window = tables.windows.get("a1|2026-03-10");
  expect(window).toMatchObject({ lane: "backfill", closes_at: at("2026-03-11T07:00:00Z"), topic_partition: 3 });
});

const total = (value: number, received_at: number) =>
  aChunk({ received_at, daily: [{ date: 20_522, type: STEPS, value, unit: "count" }] });

test("of a day's provider totals the latest received wins, in any order; of two at once the larger hash", () => {
  const all = [total(1000, RECEIVED), total(3000, RECEIVED + 1), total(2000, RECEIVED + 1)];
  const kept = [all, all.toReversed(), [all[1], all[0], all[2]]].map((order) => {
    const tables = new Tables();
    for (const chunk of order) if (chunk) tables.apply([chunk]);
    expect(dates(tables)).toEqual(["2026-03-10"]);
    return [...tables.totals.values()].map((row) => row.value);
  });
  expect(new Set(kept.map(String)).size).toBe(1);
  expect(kept[0]).not.toEqual([1000]);
  const tables = new Tables();
  tables.apply([total(1, RECEIVED + 5)]);
  expect(tables.apply([total(2, RECEIVED)]).tally).toEqual({ daily_older: 1 });
});

test("what was received before an erasure is dropped for ever: samples, totals, zones, versions, deletions and refusals", () => {
  const tables = new Tables();
  tables.athletes.set("a1", { settings: { zones: [], source_order: {} }, erased_before: RECEIVED, zones_seen: [] });
  const refused = heartRates([{ sample_id: B, value: 5000 }]);
  const old = [
    heartRates([{ sample_id: A, time_zone: "Asia/Tokyo" }]),
    total(5, RECEIVED),
    versioned(uuid(9), 9),
    deleting(A, "no uuid"),
    refused,
  ];
  const { rows, tally, dead_letters } = tables.apply(old);
  expect(tally).toEqual({ erased: 6 });
  expect(dead_letters).toEqual([]);
  expect({ ...rows, now: 0 }).toEqual({
    athletes: [],
    windows: [],
    inserts: [],
    removals: [],
    tombstones: [],
    syncs: [],
    daily: [],
    wakes: [],
    now: 0,
  });
  tables.apply([heartRates([{ sample_id: B }], { received_at: RECEIVED + 1 })]);
  expect(ids(tables)).toEqual([B]);
});

test("a refused sample becomes a dead letter with a stable id and path, and its neighbours go through", () => {
  const chunk = aChunk({
    series: [
      aSeries([aSent({ sample_id: A }), aSent({ sample_id: "none" }), aSent({ sample_id: B, value: 5000 })]),
      aSeries([aSent({ sample_id: uuid(7) })], { type: "HKQuantityTypeIdentifierUVExposure", unit: "count" }),
      aSeries([aSent({ sample_id: uuid(8) })], { type: "nonsense" }),
    ],
    deletions: [
      { sample_id: "x'y", type: HR },
      { sample_id: uuid(5), type: "H\0K" },
    ],
    daily: [{ date: 20_522, type: "nonsense", value: 1, unit: "count" }],
  });
  const tables = new Tables();
  const { dead_letters, tally, rows } = tables.apply([chunk]);
  expect(ids(tables)).toEqual([A]);
  expect(tally).toMatchObject({ stored: 1, dead: 5, deleted: 1, ignored: 1 });
  expect(dead_letters.map(({ reason, path, origin }) => [reason, path, origin.index])).toEqual([
    ["bad_uuid", "series[0].samples[1].uuid", 1],
    ["out_of_range", "series[0].samples[2].value", 2],
    ["unknown_type", "series[2].samples[0].type", 4],
    ["unknown_type", "daily[0].type", -2],
    ["bad_uuid", "deletions[0].uuid", -1_000_000],
  ]);
  expect(rows.tombstones).toMatchObject([{ sample_id: uuid(5), type: "HK" }]);
  expect(new Set(dead_letters.map((letter) => letter.id)).size).toBe(5);
  expect(new Tables().apply([chunk]).dead_letters.map((letter) => letter.id)).toEqual(dead_letters.map((l) => l.id));
  expect(JSON.parse(Buffer.from(dead_letters[0]?.payload ?? []).toString())).toMatchObject({
    samples: [{ sample_id: "none" }],
  });
});
