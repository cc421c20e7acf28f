import type { AthleteSettings, Instant } from "../domain/sample.ts";
import type { Reader, Tx } from "./ports.ts";

/** Locks the athlete's row, made if it is missing, and answers its version. Always the first lock (architecture §2). */
export const lockAthlete = async (tx: Tx, athleteId: string): Promise<number> => {
  await tx.query(`insert into athletes (athlete_id) values ($1) on conflict do nothing`, [athleteId]);
  const [row] = await tx.query<{ version: number }>(`select version from athletes where athlete_id = $1 for update`, [
    athleteId,
  ]);
  return row?.version ?? 0;
};

/** Whoever read the athlete's facts before starts over. */
export const raiseVersion = async (tx: Tx, athleteId: string): Promise<void> => {
  await tx.query(`update athletes set version = version + 1 where athlete_id = $1`, [athleteId]);
};

/** Numbers that only ever rise: taken under the athlete's lock, so that they rise in the order of commits. */
export const nextRevisions = async (tx: Tx, count: number): Promise<number[]> => {
  if (count === 0) return [];
  const rows = await tx.query<{ n: number }>(`select nextval('revisions') as n from generate_series(1, $1)`, [count]);
  return rows.map((row) => row.n);
};

/** `zones` may hold instants as ISO text, as the settings were sent. */
type StoredSettings = {
  version: number;
  zones: readonly { from: Instant | string; zone: string }[];
  source_order: AthleteSettings["source_order"];
};

/** The athlete's settings and version; those of nobody where there is no row yet. */
export const readAthlete = async (
  db: Pick<Reader, "query">,
  athleteId: string,
): Promise<{ version: number; settings: AthleteSettings }> => {
  const [row] = await db.query<StoredSettings>(
    `select version, zones, source_order from athletes where athlete_id = $1`,
    [athleteId],
  );
  const zones = (row?.zones ?? []).map(({ from, zone }) => ({ from: +new Date(from), zone }));
  return { version: row?.version ?? 0, settings: { zones, source_order: row?.source_order ?? {} } };
};
