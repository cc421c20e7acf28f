import type { LocalDate } from "../domain/sample.ts";
import { epochDay } from "../domain/local-day.ts";
import { SESSION_FIELDS } from "../domain/sleep/session.ts";
import type { OutboxEvent } from "../flow/effects.ts";
import type { Of } from "../flow/metric-rows.ts";
import type { Reader, Tx } from "../flow/ports.ts";
import type { SessionRow } from "./facts.ts";

const COLUMNS = [
  "athlete_id",
  ...SESSION_FIELDS,
  "provenance",
  "sleep_score",
  "score_components",
  "score_method",
  "is_final",
] as const satisfies (keyof SessionRow)[];

const NAMES = COLUMNS.join(", ");

/** Sessions that wake on these dates, ends included. */
export const readSessions = async (
  tx: Reader,
  athleteId: string,
  from: LocalDate,
  to: LocalDate,
): Promise<SessionRow[]> =>
  tx.query<SessionRow>(
    `select ${NAMES} from sleep_sessions where athlete_id = $1 and date between $2::date and $3::date`,
    [athleteId, from, to],
  );

const recordKey = (of: Of, sessionId: string): string => `${of.athlete_id}|${sessionId}`;

/** The full row as it now stands: the Avro record `health.v1.SleepSession`. */
const sessionEvent = (of: Of, { provenance: _, ...row }: SessionRow & { revision: number }): OutboxEvent => ({
  topic: of.topic("sleep-sessions"),
  athlete_id: of.athlete_id,
  key: recordKey(of, row.session_id),
  value: {
    ...row,
    date: epochDay(row.date),
    score_components: row.score_components === null ? null : JSON.stringify(row.score_components),
    updated_at: of.now,
  },
});

const sessionGone = (of: Of, gone: { session_id: string; revision: number }): OutboxEvent => ({
  topic: of.topic("sleep-sessions"),
  athlete_id: of.athlete_id,
  key: recordKey(of, gone.session_id),
  value: null,
  headers: { revision: String(gone.revision) },
});

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** Writes rows under the athlete's lock; answers the events that tell of it, for the same transaction's outbox. */
export const writeSessions = async (
  tx: Tx,
  of: Of,
  rows: readonly (SessionRow & { revision: number })[],
): Promise<OutboxEvent[]> => {
  if (rows.length === 0) return [];
  const written = rows.map((row) => ({
    ...row,
    start_at: iso(row.start_at),
    end_at: iso(row.end_at),
    onset_at: iso(row.onset_at),
    final_wake_at: iso(row.final_wake_at),
    updated_at: iso(of.now),
  }));
  const set = [...COLUMNS, "revision", "updated_at"].map((name) => `${name} = excluded.${name}`).join(", ");
  await tx.query(
    `insert into sleep_sessions (${NAMES}, revision, updated_at)
     select ${NAMES}, revision, updated_at from jsonb_populate_recordset(null::sleep_sessions, $1::jsonb)
     on conflict (session_id) do update set ${set}`,
    [JSON.stringify(written)],
  );
  return rows.map((row) => sessionEvent(of, row));
};

/** Removes rows under the athlete's lock; answers the topic's tombstones, for the same transaction's outbox. */
export const removeSessions = async (
  tx: Tx,
  of: Of,
  gone: readonly { session_id: string; revision: number }[],
): Promise<OutboxEvent[]> => {
  if (gone.length === 0) return [];
  await tx.query(`delete from sleep_sessions where athlete_id = $1 and session_id = any($2::uuid[])`, [
    of.athlete_id,
    gone.map((row) => row.session_id),
  ]);
  return gone.map((row) => sessionGone(of, row));
};
