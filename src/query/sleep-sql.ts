import type { Instant, LocalDate } from "../domain/sample.ts";
import type { RelatedSession } from "../domain/explain/night.ts";
import { SESSION_FIELDS, type SleepSession } from "../domain/sleep/session.ts";
import type { Database } from "../flow/ports.ts";

/** A row of sleep_sessions. */
export type StoredSession = SleepSession & {
  sleep_score: number | null;
  score_components: Record<string, unknown> | null;
  score_method: string | null;
  is_final: boolean;
  revision: number;
  updated_at: Instant;
};

/** Every column that readers see, in the order of the answer. */
export const SESSION_COLUMNS = [
  ...SESSION_FIELDS,
  "sleep_score",
  "score_components",
  "score_method",
  "is_final",
  "revision",
  "updated_at",
] as const satisfies (keyof StoredSession)[];

const NAMES = SESSION_COLUMNS.map((name) => `s.${name}`).join(", ");

/** Sessions by wake date, ends included. */
export const readSessions = async (
  db: Database,
  athleteId: string,
  { from, to }: { from: LocalDate; to: LocalDate },
): Promise<StoredSession[]> =>
  db.query<StoredSession>(
    `select ${NAMES} from sleep_sessions s where athlete_id = $1 and date between $2::date and $3::date
     order by date, start_at, session_id`,
    [athleteId, from, to],
  );

export type FoundSession = StoredSession & { object_key: string | null };

const WHOLE = `${NAMES}, s.athlete_id, coalesce(s.provenance, '{}') as provenance`;

/** One session and where its streams lie (null while its day is open), as of one moment. */
export const findSession = async (db: Database, athleteId: string, sessionId: string): Promise<FoundSession | null> => {
  const rows = await db.query<FoundSession>(
    `select ${WHOLE}, t.object_key from sleep_sessions s left join sleep_streams t using (session_id)
     where s.athlete_id = $1 and s.session_id = $2`,
    [athleteId, sessionId],
  );
  return rows[0] ?? null;
};

/** The sessions of one wake date, with what was noted of them. */
export const readNights = async (db: Database, athleteId: string, date: LocalDate): Promise<StoredSession[]> =>
  db.query<StoredSession>(
    `select ${WHOLE} from sleep_sessions s where athlete_id = $1 and date = $2 order by start_at, session_id`,
    [athleteId, date],
  );

/** The dates before and after that have sessions. */
export const nearestNights = async (db: Database, athleteId: string, date: LocalDate): Promise<LocalDate[]> => {
  const [near] = await db.query<{ before: LocalDate | null; after: LocalDate | null }>(
    `select max(date) filter (where date < $2::date) as before, min(date) filter (where date > $2::date) as after
     from sleep_sessions where athlete_id = $1`,
    [athleteId, date],
  );
  return [near?.before ?? null, near?.after ?? null].filter((one) => one !== null);
};

/** The winner that a session gave way to, and those that gave way to it. */
export const readRelated = async (db: Database, session: StoredSession): Promise<RelatedSession[]> =>
  db.query<RelatedSession>(
    `select session_id, source, kind, superseded_by from sleep_sessions
     where athlete_id = $1 and (session_id = $2 or superseded_by = $3) order by start_at, session_id`,
    [session.athlete_id, session.superseded_by, session.session_id],
  );
