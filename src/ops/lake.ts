import type { LocalDate } from "../domain/sample.ts";
import type { Database } from "../flow/ports.ts";

export type LakeSelection = {
  /** Sleep streams instead of samples. */
  sleep: boolean;
  athlete_id: string | null;
  from: LocalDate | null;
  to: LocalDate | null;
  metric: string | null;
};

/** A live object. Of sleep, the period is the date of the session. */
export type LakeObject = {
  athlete_id: string;
  period_start: LocalDate;
  period_end: LocalDate;
  object_key: string;
  generation: number;
  row_count: number;
  bytes: number;
};

const SAMPLES = `select athlete_id, period_start, period_end, object_key, generation, row_count, bytes from health_streams
   where ($1::text is null or athlete_id = $1) and ($2::date is null or period_end >= $2)
     and ($3::date is null or period_start <= $3) and ($4::text is null or stats ? $4)
   order by athlete_id, period_start`;

const SLEEP = `select t.athlete_id, s.date as period_start, s.date as period_end, t.object_key, t.generation, t.row_count, t.bytes
   from sleep_streams t join sleep_sessions s using (session_id)
   where ($1::text is null or t.athlete_id = $1) and ($2::date is null or s.date >= $2)
     and ($3::date is null or s.date <= $3) and ($4::text is null or $4 = any(t.channels))
   order by t.athlete_id, s.date, t.session_id`;

/** The objects that pointers name now: nothing else in the bucket is data. */
export const liveObjects = async (
  db: Database,
  { sleep, athlete_id, from, to, metric }: LakeSelection,
): Promise<LakeObject[]> => db.query<LakeObject>(sleep ? SLEEP : SAMPLES, [athlete_id, from, to, metric]);
