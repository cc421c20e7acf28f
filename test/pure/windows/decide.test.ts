import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Sample, Tombstone } from "../../../src/domain/sample.ts";
import { twinKey } from "../../../src/domain/twins.ts";
import { digest } from "../../../src/flow/digest.ts";
import { rowsHash } from "../../../src/flow/rows-hash.ts";
import { decidePane } from "../../../src/windows/decide.ts";
import type { Pane } from "../../../src/windows/due.ts";
import type { PaneFacts } from "../../../src/windows/facts.ts";
import { paneFacts } from "../../support/windows/facts.ts";
import { at, heart, id, night, steps } from "../../support/windows/samples.ts";

const DAY = "2026-11-20";
const tools = { digest, rowsHash };

/** Stored objects by date of these rows, as earlier panes would have left them. */
const storedOf = (rows: readonly Sample[], wrongHash = false): PaneFacts["stored"] =>
  [...Map.groupBy(rows, (row) => row.local_date)].map(([date, all]) => ({
    pointer: {
      period_start: date,
      period_end: date,
      level: "day",
      object_key: `object of ${date}`,
      rows_hash: wrongHash ? "older" : rowsHash(all),
    },
    rows: all,
  }));

const facts = (change: Partial<Omit<PaneFacts, "days">> & { pane?: Pane; dates?: string[] } = {}): PaneFacts => {
  const { pane = "late", dates = [DAY], ...rest } = change;
  return paneFacts(rest, Object.fromEntries(dates.map((date) => [date, pane])));
};

const day = [...night(DAY), steps("2026-11-20T09:00:00Z", 900), steps("2026-11-20T23:30:00Z", 50)];

test("an open day gets provisional metrics and nothing else", () => {
  const decision = decidePane(facts({ pane: "early", staged: day }), tools);
  expect(decision.objects).toEqual([]);
  expect(decision.metrics.upserts.map((row) => [row.metric, row.is_final])).toEqual([
    ["resting_hr", false],
    ["steps", false],
  ]);
});

test("a closing day gets an object of its own rows only, in the order of the file", () => {
  const [object] = decidePane(facts({ staged: day }), tools).objects;
  const mine = day.filter((row) => row.local_date === DAY);
  expect(mine.length).toBe(day.length - 1);
  expect(object?.rows.map((row) => row.sample_id).toSorted()).toEqual(mine.map((row) => row.sample_id).toSorted());
  expect(object?.rows.map((row) => row.metric)).toEqual(mine.map((row) => row.metric).toSorted());
});

test("how rows are split between staging and Parquet, doubled or shuffled changes neither object nor metrics", () => {
  const whole = decidePane(facts({ staged: day }), tools);
  const places = fc.array(fc.constantFrom("staged", "stored", "both"), {
    minLength: day.length,
    maxLength: day.length,
  });
  fc.assert(
    fc.property(places, fc.shuffledSubarray(day, { minLength: day.length }), (where, order) => {
      const staged = order.filter((_, n) => where[n] !== "stored");
      const stored = storedOf(
        order.filter((_, n) => where[n] !== "staged"),
        true,
      );
      const split = decidePane(facts({ staged, stored }), tools);
      expect(split.metrics).toEqual(whole.metrics);
      expect(split.objects.map((object) => [object.period_start, object.rows_hash, object.rows])).toEqual(
        whole.objects.map((object) => [object.period_start, object.rows_hash, object.rows]),
      );
    }),
    { numRuns: 50 },
  );
});

test("a pane over what is already stored decides nothing", () => {
  const first = decidePane(facts({ staged: day }), tools);
  const again = decidePane(
    facts({
      staged: day.slice(3),
      stored: storedOf(day),
      metrics: first.metrics.upserts,
      history: first.facts.upserts,
    }),
    tools,
  );
  expect(again).toEqual({
    objects: [],
    removed: [],
    metrics: { upserts: [], deletes: [] },
    sessions: { upserts: [], deletes: [] },
    streams: [],
    gone: [],
    facts: { upserts: [], deletes: [] },
    adopted: [],
    seen: [],
    dirtied: [],
    restaged: { rows: [], beaten: [] },
    zones: [],
  });
});

test("a day whose last row was deleted loses its pointer and its metrics", () => {
  const only = steps("2026-11-20T09:00:00Z", 900);
  const before = decidePane(facts({ staged: [only] }), tools);
  const tombstones: Tombstone[] = [{ sample_id: only.sample_id, reason: "deleted", twin_key: null }];
  const after = decidePane(facts({ stored: storedOf([only]), tombstones, metrics: before.metrics.upserts }), tools);
  expect(after.objects).toEqual([]);
  expect(after.removed.map((pointer) => pointer.period_start)).toEqual([DAY]);
  expect(after.metrics.deletes).toEqual([{ date: DAY, metric: "steps", source: "derived" }]);
});

test("a deleted id whose older copy stands in a neighbour's object makes the neighbour fire", () => {
  const copy = heart("2026-11-20T22:30:00Z", { tz: "Asia/Tokyo", local_date: "2026-11-21" });
  const stored = storedOf([copy, heart("2026-11-21T09:00:00Z")]);
  const tombstones: Tombstone[] = [{ sample_id: copy.sample_id, reason: "deleted", twin_key: twinKey(copy) }];
  for (const pane of ["early", "late"] as const) {
    const decision = decidePane(facts({ pane, stored, tombstones }), tools);
    expect(decision.dirtied.map(({ date }) => date)).toEqual(["2026-11-21"]);
    expect(decision.objects).toEqual([]);
  }
  const neighbour = decidePane(facts({ dates: ["2026-11-21"], stored, tombstones }), tools);
  expect(neighbour.dirtied).toEqual([]);
  expect(neighbour.objects.map((object) => object.rows.length)).toEqual([1]);
});

test("a copy that wins an id from a closed neighbour is taken out of the neighbour's object in the same pane", () => {
  const instant = "2026-11-20T22:30:00Z";
  const ours = heart(instant, { name: "moved", received_at: at("2026-11-02T00:00:00Z") });
  const theirs = heart(instant, {
    name: "moved",
    tz: "Asia/Tokyo",
    local_date: "2026-11-21",
    received_at: ours.received_at + 1,
  });
  const other = heart("2026-11-21T10:00:00Z");
  const decision = decidePane(facts({ staged: [ours], stored: storedOf([theirs, other]) }), tools);
  expect(decision.objects.map((object) => [object.period_start, object.rows.map((row) => row.sample_id)])).toEqual([
    [DAY, [id("moved")]],
    ["2026-11-21", [other.sample_id]],
  ]);
  expect(decision.dirtied.map((dirtied) => dirtied.date)).toContain("2026-11-21");
});

test("a copy that loses an id to a closed neighbour is dropped", () => {
  const instant = "2026-11-20T22:30:00Z";
  const ours = heart(instant, { name: "moved", received_at: at("2026-11-03T00:00:00Z") });
  const theirs = heart(instant, { name: "moved", tz: "Asia/Tokyo", local_date: "2026-11-21" });
  const decision = decidePane(facts({ staged: [ours], stored: storedOf([theirs]) }), tools);
  expect(decision.objects).toEqual([]);
  expect(decision.dirtied).toEqual([]);
});

test("a uuid that comes after its synthetic twin adopts it: one row, and a tombstone for the synthetic id", () => {
  const uuid = steps("2026-11-20T09:00:00Z", 900);
  const synthetic = {
    ...uuid,
    sample_id: id("synthetic"),
    attributes: { ...uuid.attributes, synthetic: true as const },
  };
  const decision = decidePane(facts({ staged: [uuid], stored: storedOf([synthetic]) }), tools);
  expect(decision.objects.map((object) => object.rows)).toEqual([[uuid]]);
  expect(decision.adopted).toEqual([
    { sample_id: synthetic.sample_id, twin_key: twinKey(synthetic), start_at: synthetic.start_at },
  ]);
  expect(decision.dirtied).toEqual([]);
});

test("a job's further days change nothing about a day", () => {
  const next = [...night("2026-11-21", 44), steps("2026-11-21T00:05:00Z", 70)];
  const alone = decidePane(facts({ staged: [...day, ...next] }), tools);
  const together = decidePane(facts({ staged: [...day, ...next], dates: [DAY, "2026-11-21"] }), tools);
  expect(together.objects[0]).toEqual(alone.objects[0]);
  expect(together.metrics.upserts.filter((row) => row.date === DAY)).toEqual(alone.metrics.upserts);
});

test("a deleted row that nobody had seen is dropped, noted, and still adopts its twin", () => {
  const uuid = steps("2026-11-20T09:00:00Z", 900);
  const synthetic = {
    ...uuid,
    sample_id: id("synthetic"),
    attributes: { ...uuid.attributes, synthetic: true as const },
  };
  const tombstones: Tombstone[] = [{ sample_id: uuid.sample_id, reason: "deleted", twin_key: null }];
  const decision = decidePane(facts({ staged: [uuid, synthetic], tombstones }), tools);
  expect(decision.objects).toEqual([]);
  expect(decision.metrics.upserts).toEqual([]);
  expect(decision.seen).toEqual([{ sample_id: uuid.sample_id, twin_key: twinKey(uuid), start_at: uuid.start_at }]);
  expect(decision.adopted.map((twin) => twin.sample_id)).toEqual([synthetic.sample_id]);
});
