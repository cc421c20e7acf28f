import { expect, test } from "vitest";
import type { SleepSession } from "../../../src/domain/sleep/session.ts";
import { sleepSessions } from "../../../src/domain/sleep/sessions.ts";
import { sessionStreams } from "../../../src/domain/sleep/streams.ts";
import { digest } from "../../../src/flow/digest.ts";
import { streamHash } from "../../../src/flow/rows-hash.ts";
import type { SessionRow } from "../../../src/windows/facts.ts";
import { NO_SCORE, sessionChanges, streamChanges } from "../../../src/windows/session-changes.ts";
import { NIGHT, slept } from "../../support/windows/samples.ts";

const samples = slept("2026-11-19T22:00:00Z", NIGHT);
const [session] = sleepSessions({ athlete_id: "anna", samples, settings: { zones: [], source_order: {} } }, digest) as [
  SleepSession,
];
const row: SessionRow = { ...session, ...NO_SCORE, is_final: true };
const DATES = new Set([row.date]);
const NOTHING = { upserts: [], deletes: [] };

test("an equal session is no change, whatever the order of members in its JSON", () => {
  const stored = { ...row, provenance: Object.fromEntries(Object.entries(row.provenance).toReversed()) };
  expect(sessionChanges(DATES, [stored], [row], new Set([row.session_id]))).toEqual(NOTHING);
});

test("a score, or a day that closes, is a change of the session", () => {
  for (const change of [{ sleep_score: 80 }, { is_final: false }]) {
    const after = { ...row, ...change };
    expect(sessionChanges(DATES, [row], [after], new Set([row.session_id])).upserts).toEqual([after]);
  }
});

test("a session that is no more goes; one of another date, or that moved to one, stays", () => {
  expect(sessionChanges(DATES, [row], [], new Set())).toEqual({ upserts: [], deletes: [row.session_id] });
  expect(sessionChanges(new Set(["2026-11-19"]), [row], [], new Set())).toEqual(NOTHING);
  expect(sessionChanges(DATES, [row], [], new Set([row.session_id]))).toEqual(NOTHING);
});

const rowsOf = (one: SleepSession) => sessionStreams(one, samples);
const pointer = { session_id: row.session_id, object_key: "key", rows_hash: streamHash(rowsOf(session)) };

test("a stream is written once, and again when its rows change", () => {
  const first = streamChanges([session], [], [], rowsOf);
  expect(first.streams.map(({ date, rows, replaces }) => [date, rows.length, replaces])).toEqual([[row.date, 5, null]]);
  expect(streamChanges([session], [], [pointer], rowsOf)).toEqual({ streams: [], gone: [] });
  const old = { ...pointer, rows_hash: "another" };
  expect(streamChanges([session], [], [old], rowsOf).streams.map(({ replaces }) => replaces)).toEqual([old]);
});

test("a stream goes with its session, and when nothing is left of it", () => {
  expect(streamChanges([], [row.session_id], [pointer], rowsOf)).toEqual({ streams: [], gone: [pointer] });
  expect(streamChanges([session], [], [pointer], () => [])).toEqual({ streams: [], gone: [pointer] });
  expect(streamChanges([session], [], [], () => [])).toEqual({ streams: [], gone: [] });
});
