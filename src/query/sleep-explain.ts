import { type NightExplanation, explainNight } from "../domain/explain/night.ts";
import type { LocalDate } from "../domain/sample.ts";
import type { Database } from "../flow/ports.ts";
import { Problem } from "../flow/route.ts";
import { type StoredSession, nearestNights, readNights, readRelated } from "./sleep-sql.ts";

/** How one session came about, with the others that tell of the same hours. */
export const explainSession = async (db: Database, session: StoredSession): Promise<NightExplanation> =>
  explainNight(session, await readRelated(db, session));

/** How each session of a wake date came about. Throws Problem 404, which says what there is. */
export const explainSleep = async (
  db: Database,
  { athlete_id, date }: { athlete_id: string; date: LocalDate },
): Promise<NightExplanation[]> => {
  const sessions = await readNights(db, athlete_id, date);
  if (sessions.length > 0) return Promise.all(sessions.map((session) => explainSession(db, session)));
  const near = (await nearestNights(db, athlete_id, date)).join(" and ");
  const hint = near === "" ? "there is no sleep at all" : `the nearest dates that have some are ${near}`;
  throw new Problem(404, `there is no sleep session that ends on ${date}: ${hint}`);
};
