import type { LocalDate } from "../domain/sample.ts";
import type { SleepSession } from "../domain/sleep/session.ts";
import type { StreamRow } from "../domain/sleep/streams.ts";
import { canonicalJson } from "../domain/canonical.ts";
import { streamHash } from "../flow/rows-hash.ts";
import type { SessionRow, SessionScore, StreamPointer } from "./facts.ts";

/** Sessions as they shall stand, and the ids of those that shall go. */
export type SessionChanges = { upserts: SessionRow[]; deletes: string[] };

/** A session's stream that must be written, with the pointer it takes over from. */
export type StreamObject = {
  session_id: string;
  date: LocalDate;
  rows: readonly StreamRow[];
  rows_hash: string;
  replaces: StreamPointer | null;
};
export type StreamChanges = { streams: StreamObject[]; gone: StreamPointer[] };

export const NO_SCORE: SessionScore = { sleep_score: null, score_components: null, score_method: null };

/**
 * What a pane of these dates changes in the sessions: those of its dates, where the stored row is not the same, and
 * those that still stand under one of its dates and are `alive` on no date any more. One that has moved to another
 * date is left to that date's pane, which the same change makes fire (D18): it needs no tombstone on the way.
 */
export const sessionChanges = (
  dates: ReadonlySet<LocalDate>,
  stored: readonly SessionRow[],
  computed: readonly SessionRow[],
  alive: ReadonlySet<string>,
): SessionChanges => {
  const before = new Map(stored.map((row) => [row.session_id, canonicalJson(row)]));
  return {
    upserts: computed.filter((row) => before.get(row.session_id) !== canonicalJson(row)),
    deletes: stored.filter((row) => dates.has(row.date) && !alive.has(row.session_id)).map((row) => row.session_id),
  };
};

/**
 * What changes in the streams of the sessions that these closing dates have now; `without` are sessions that shall have
 * none. Equal rows are no change.
 */
export const streamChanges = (
  sessions: readonly SleepSession[],
  without: readonly string[],
  stored: readonly StreamPointer[],
  rowsOf: (session: SleepSession) => readonly StreamRow[],
): StreamChanges => {
  const pointers = new Map(stored.map((pointer) => [pointer.session_id, pointer]));
  const changes: StreamChanges = { streams: [], gone: without.flatMap((id) => pointers.get(id) ?? []) };
  for (const session of sessions) {
    const { session_id, date } = session;
    const replaces = pointers.get(session_id) ?? null;
    const rows = rowsOf(session);
    if (rows.length === 0) {
      if (replaces) changes.gone.push(replaces);
      continue;
    }
    const rows_hash = streamHash(rows);
    if (replaces?.rows_hash !== rows_hash) changes.streams.push({ session_id, date, rows, rows_hash, replaces });
  }
  return changes;
};
