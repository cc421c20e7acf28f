import { sleepSources, sourcesOf, type Sources } from "../domain/explain/sources.ts";
import { sessionAnswer } from "./sleep-answer.ts";
import type { Related, StoredSession } from "./sleep-sql.ts";

const METHOD = "sleep_session/1";

export type SessionExplanation = {
  athlete_id: string;
  session: Record<string, unknown>;
  method: string;
  /** Whose stages count for these hours, and which rule of healthkit.md §3.2 step 6 told. */
  winner: { source_key: unknown; decided_by: unknown; why: string };
  sources: Sources;
  /** Sessions of other sources for the same hours. */
  instead_of: Related[];
  superseded_by: Related | null;
  provenance: Record<string, unknown>;
};

/** How a session came about, from what was noted when it was made: nothing is computed again. */
export const sessionExplanation = (session: StoredSession, related: readonly Related[]): SessionExplanation => {
  const { provenance, superseded_by } = session;
  const inBedOnly = session.kind === "in_bed_only";
  const sources = inBedOnly ? sourcesOf(METHOD, provenance) : sleepSources(provenance);
  const alone = inBedOnly
    ? "nobody told of sleep: it is the time in bed of all sources"
    : "no other source tells of these hours";
  const why = sources.set_aside.find(({ source_key }) => source_key !== null)?.reason ?? alone;
  return {
    athlete_id: session.athlete_id,
    session: sessionAnswer(session),
    method: METHOD,
    winner: { source_key: provenance["winner"], decided_by: provenance["decided_by"] ?? null, why },
    sources,
    instead_of: related.filter((one) => one.superseded_by === session.session_id),
    superseded_by: related.find((one) => one.session_id === superseded_by) ?? null,
    provenance,
  };
};
