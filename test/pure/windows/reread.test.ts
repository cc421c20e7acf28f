import { expect, test } from "vitest";
import { interpret } from "../../../src/domain/interpret.ts";
import type { AthleteSettings, Sample } from "../../../src/domain/sample.ts";
import { digest } from "../../../src/flow/digest.ts";
import { rowsHash } from "../../../src/flow/rows-hash.ts";
import { decidePane } from "../../../src/windows/decide.ts";
import type { Pane } from "../../../src/windows/due.ts";
import type { PaneFacts } from "../../../src/windows/facts.ts";
import { paneFacts } from "../../support/windows/facts.ts";
import { NO_SETTINGS, at, sent, uuid } from "../../domain/make.ts";

const [D19, D20, D21] = ["2026-11-19", "2026-11-20", "2026-11-21"] as const;

/** A heart rate at 10:00 that was sent per second, as staging reads it, or as a wrong rule did. */
const beat = (date: string, wrong: boolean): Sample => {
  const start_at = at(`${date}T10:00:00Z`);
  const read = interpret(
    sent({
      athlete_id: "anna",
      sample_id: uuid(Number(date.slice(-2))),
      unit: "count/s",
      value: 1,
      start_at,
      end_at: start_at,
      time_zone: null,
      batch_time_zone: "UTC",
      received_at: start_at + 1000,
    }),
  );
  if (read.kind !== "ok") throw new Error(read.kind);
  return wrong ? { ...read.value, value: 59 } : read.value;
};

const stored = (row: Sample): PaneFacts["stored"][number] => {
  const date = row.local_date;
  const rows = [row];
  return {
    pointer: { period_start: date, period_end: date, level: "day", object_key: date, rows_hash: rowsHash(rows) },
    rows,
  };
};

const decide = (
  change: Partial<Omit<PaneFacts, "days">>,
  pane: Pane = "late",
  settings: AthleteSettings = NO_SETTINGS,
) => decidePane(paneFacts({ settings, ...change }, { [D20]: pane }), { digest, rowsHash });
const values = (objects: readonly { rows: readonly Sample[] }[]) => objects.map(({ rows }) => rows.map((r) => r.value));

test("stored rows of a date that is recomputed are read again, and the days that read them fire", () => {
  const wrong = { stored: [stored(beat(D20, true))] };
  expect(decide(wrong).objects).toEqual([]);
  const decision = decide({ ...wrong, reread: new Set([D20]) });
  expect(values(decision.objects)).toEqual([[60]]);
  expect(decision.dirtied.map(({ date }) => date)).toEqual([D21]);
  expect(decision.zones).toEqual([]);
});

test("where reading again changes nothing, nothing is written and nobody told", () => {
  const decision = decide({ stored: [stored(beat(D20, false))], reread: new Set([D20]) });
  expect(decision).toMatchObject({ objects: [], dirtied: [], restaged: { rows: [] } });
});

test("staged rows are read again too, and stay under their date", () => {
  const decision = decide({ staged: [beat(D20, true)], reread: new Set([D20]) }, "on_time");
  expect(values(decision.objects)).toEqual([[60]]);
  const tokyo = { zones: [{ from: 0, zone: "Pacific/Kiritimati" }], source_order: {} };
  const moving = decide({ staged: [beat(D20, true)], reread: new Set([D20]) }, "on_time", tokyo);
  expect(values(moving.objects)).toEqual([[59]]);
});

test("an early pane reads again for its values, and leaves its neighbours alone", () => {
  const decision = decide({ staged: [beat(D20, true)], reread: new Set([D20]) }, "early");
  expect(decision).toMatchObject({ objects: [], dirtied: [] });
});

test("a neighbour's rows are read as its own pane will read them, without touching anybody", () => {
  const decision = decide({ stored: [stored(beat(D19, true)), stored(beat(D20, false))], reread: new Set([D19]) });
  expect(decision).toMatchObject({ objects: [], dirtied: [] });
});
