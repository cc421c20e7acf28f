import type { LocalDate } from "../domain/sample.ts";
import type { Of } from "../flow/metric-rows.ts";
import type { Reader, Tx } from "../flow/ports.ts";
import type { StreamPointer } from "./facts.ts";
import type { NewStream } from "./objects-of.ts";

/** Streams of the sessions that wake on these dates, ends included. */
export const readStreams = async (
  tx: Reader,
  athleteId: string,
  from: LocalDate,
  to: LocalDate,
): Promise<StreamPointer[]> =>
  tx.query<StreamPointer>(
    `select session_id, p.object_key, p.rows_hash from sleep_streams p join sleep_sessions s using (session_id)
     where s.athlete_id = $1 and s.date between $2::date and $3::date`,
    [athleteId, from, to],
  );

export const moveStreams = async (tx: Tx, of: Of, streams: readonly NewStream[]): Promise<void> => {
  if (streams.length === 0) return;
  await tx.query(
    `insert into sleep_streams (session_id, athlete_id, object_key, generation, row_count, bytes, content_hash,
       rows_hash, channels, written_at)
     select session_id, $1, object_key, generation, row_count, bytes, content_hash, rows_hash, channels, $2
     from jsonb_populate_recordset(null::sleep_streams, $3::jsonb)
     on conflict (session_id) do update set object_key = excluded.object_key, generation = excluded.generation,
       row_count = excluded.row_count, bytes = excluded.bytes, content_hash = excluded.content_hash,
       rows_hash = excluded.rows_hash, channels = excluded.channels, written_at = excluded.written_at`,
    [of.athlete_id, new Date(of.now), JSON.stringify(streams)],
  );
};

export const removeStreams = async (tx: Tx, athleteId: string, sessionIds: readonly string[]): Promise<void> => {
  if (sessionIds.length === 0) return;
  await tx.query(`delete from sleep_streams where athlete_id = $1 and session_id = any($2::uuid[])`, [
    athleteId,
    sessionIds,
  ]);
};
