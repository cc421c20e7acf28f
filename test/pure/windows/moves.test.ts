import { expect, test } from "vitest";
import { localDate } from "../../../src/domain/local-day.ts";
import type { AthleteSettings, Sample } from "../../../src/domain/sample.ts";
import { digest } from "../../../src/flow/digest.ts";
import { rowsHash } from "../../../src/flow/rows-hash.ts";
import { decidePane } from "../../../src/windows/decide.ts";
import { paneFacts } from "../../support/windows/facts.ts";
import type { Pane } from "../../../src/windows/due.ts";
import type { PaneFacts } from "../../../src/windows/facts.ts";
import { type Change, at, heart, steps } from "../../support/windows/samples.ts";

const tools = { digest, rowsHash };
const TOKYO: AthleteSettings = { zones: [{ from: 0, zone: "Asia/Tokyo" }], source_order: {} };
const [D20, D21] = ["2026-11-20", "2026-11-21"] as const;

/** By the batch's zone, Amsterdam, as it was stored before anybody said Tokyo. */
const byBatch = (change: Change = {}): Change => ({
  attributes: { device_class: "watch", tz_source: "batch", batch_zone: "Europe/Amsterdam" },
  ...change,
});
const early = heart("2026-11-20T06:00:00Z", byBatch());
const late = heart("2026-11-20T20:00:00Z", byBatch());

const stored = (date: string, rows: readonly Sample[]): PaneFacts["stored"][number] => ({
  pointer: { period_start: date, period_end: date, level: "day", object_key: `of ${date}`, rows_hash: rowsHash(rows) },
  rows,
});

const facts = (change: Partial<Omit<PaneFacts, "days">>, dates: Record<string, Pane>): PaneFacts =>
  paneFacts({ settings: TOKYO, ...change }, dates);

const rowsOf = (rows: readonly Sample[]): string[] =>
  rows.map((row) => `${row.local_date} ${row.tz} ${new Date(row.start_at).toISOString().slice(11, 16)}`);
const dates = (days: readonly { date: string }[]): string[] => days.map(({ date }) => date).toSorted();

test("a row whose date is tomorrow now goes back to staging when only its old day fires, and tomorrow is told", () => {
  const decision = decidePane(facts({ stored: [stored(D20, [early, late])] }, { [D20]: "late" }), tools);
  expect(decision.objects.map(({ period_start: date, rows }) => [date, rowsOf(rows)])).toEqual([
    [D20, ["2026-11-20 Asia/Tokyo 06:00"]],
  ]);
  expect(rowsOf(decision.restaged.rows)).toEqual(["2026-11-21 Asia/Tokyo 20:00"]);
  expect(dates(decision.dirtied)).toEqual([D21]);
  expect(decision.zones).toEqual(["Asia/Tokyo"]);
});

test("a row goes straight to its new day where that fires in the same job", () => {
  const job = { [D20]: "late", [D21]: "late" } as const;
  const decision = decidePane(facts({ stored: [stored(D20, [early, late])] }, job), tools);
  expect(decision.objects.map(({ period_start: date, rows }) => [date, rowsOf(rows)])).toEqual([
    [D20, ["2026-11-20 Asia/Tokyo 06:00"]],
    [D21, ["2026-11-21 Asia/Tokyo 20:00"]],
  ]);
  expect(decision.restaged.rows).toEqual([]);
});

const samoa = (start: string): Sample => {
  const tz = "Pacific/Pago_Pago";
  return heart(start, {
    tz,
    local_date: localDate(at(start), tz),
    attributes: { tz_source: "batch", batch_zone: tz },
  });
};

test("a new day that fires first takes the row from the old day's object, whose other movers go back to staging", () => {
  const settings: AthleteSettings = { zones: [{ from: 0, zone: "Pacific/Kiritimati" }], source_order: {} };
  // On the 20th in Samoa; now the 20th, 21st and 22nd at +14:00.
  const all = ["2026-11-20T09:59:00Z", "2026-11-20T12:00:00Z", "2026-11-21T10:30:00Z"].map(samoa);
  const [D19, D22] = ["2026-11-19", "2026-11-22"] as const;
  const objects = [stored(D19, all.slice(0, 1)), stored(D20, all.slice(1))];
  const decision = decidePane(facts({ settings, stored: objects }, { [D22]: "late" }), tools);
  expect(decision.objects.map(({ period_start: date, rows }) => [date, rows.length])).toEqual([[D22, 1]]);
  expect(dates(decision.removed.map((pointer) => ({ date: pointer.period_start })))).toEqual([D20]);
  expect(rowsOf(decision.restaged.rows)).toEqual(["2026-11-21 Pacific/Kiritimati 12:00"]);
  expect(dates(decision.dirtied)).toContain(D21);
});

test("an open day reads what is its now, and moves nothing", () => {
  const decision = decidePane(facts({ stored: [stored(D20, [late])] }, { [D21]: "early" }), tools);
  expect([decision.objects, decision.removed, decision.restaged.rows]).toEqual([[], [], []]);
});

test("a staged copy that the moving row has beaten makes way for it", () => {
  const copy = { ...late, tz: "Asia/Tokyo", local_date: D21, received_at: late.received_at + 1 };
  const decision = decidePane(facts({ staged: [copy], stored: [stored(D20, [late])] }, { [D20]: "late" }), tools);
  expect(decision.restaged.rows).toHaveLength(1);
  expect(decision.restaged.beaten).toEqual([{ sample_id: copy.sample_id, received_at: copy.received_at }]);
});

test("a staged copy that has won stays where it is, and the old day only loses its own", () => {
  const copy = { ...late, tz: "Asia/Tokyo", local_date: D21, received_at: late.received_at - 1 };
  const decision = decidePane(facts({ staged: [copy], stored: [stored(D20, [late])] }, { [D20]: "late" }), tools);
  expect(decision.restaged).toEqual({ rows: [], beaten: [] });
  expect(dates(decision.removed.map((pointer) => ({ date: pointer.period_start })))).toEqual([D20]);
});

test("a row that moves once has moved: another round over what it left finds nothing to do", () => {
  const first = decidePane(facts({ stored: [stored(D20, [early, late])] }, { [D20]: "late", [D21]: "late" }), tools);
  const moved = first.objects.map(({ period_start: date, rows }) => stored(date, rows));
  const again = decidePane(
    facts({ stored: moved, history: first.facts.upserts }, { [D20]: "late", [D21]: "late" }),
    tools,
  );
  expect([again.objects, again.removed, again.restaged.rows, again.zones]).toEqual([[], [], [], []]);
});

test("a renamed copy that moves is staged under its own id", () => {
  const other = {
    ...late,
    start_at: late.start_at + 1000,
    end_at: late.end_at + 1000,
    received_at: late.received_at + 1,
  };
  const decision = decidePane(
    facts({ stored: [stored(D20, [late]), stored("2026-11-19", [other])] }, { [D20]: "late", "2026-11-19": "late" }),
    tools,
  );
  const ids = decision.restaged.rows.map((row) => row.sample_id);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(2);
  expect(decision.restaged.rows.some((row) => row.attributes.flags?.includes("conflict"))).toBe(true);
});

test("steps over the new midnight count for both days, wherever they are stored", () => {
  const walk = steps("2026-11-20T14:55:00Z", 600, byBatch());
  const decision = decidePane(facts({ stored: [stored(D20, [walk])] }, { [D20]: "late", [D21]: "late" }), tools);
  const values = decision.metrics.upserts.filter((row) => row.metric === "steps").map((row) => [row.date, row.value]);
  expect(values).toEqual([
    [D20, 300],
    [D21, 300],
  ]);
});
