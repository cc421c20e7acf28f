import type { SleepSession } from "../sleep/session.ts";
import { type Sources, sleepSources, sourcesOf } from "./sources.ts";

const METHOD = "sleep_session/1";

/** A session of another source that tells of the same hours. */
export type RelatedSession = Pick<SleepSession, "session_id" | "source" | "kind" | "superseded_by">;

/** How a sleep session came about. Instants in ISO 8601. */
export type NightExplanation = Pick<
  SleepSession,
  "session_id" | "athlete_id" | "date" | "kind" | "source" | "tz" | "total_sleep_s" | "time_in_bed_s"
> & {
  start_at: string;
  end_at: string;
  method: string;
  /** Whose stages count for these hours, and which rule of healthkit.md §3.2 step 6 told: a to e. */
  winner: { source_key: string; decided_by: string | null; why: string };
  sources: Sources;
  /** Sources whose time in bed gave bedtime and rise. */
  in_bed_sources: string[];
  /** Sessions that gave way to this one. */
  instead_of: RelatedSession[];
  superseded_by: RelatedSession | null;
  provenance: Record<string, unknown>;
};

/** What is to be said of a session, from what was noted when it was made: nothing is computed again. */
export const explainNight = (session: SleepSession, related: readonly RelatedSession[]): NightExplanation => {
  const { session_id, athlete_id, date, kind, source, tz, total_sleep_s, time_in_bed_s, provenance } = session;
  const inBedOnly = kind === "in_bed_only";
  const sources = inBedOnly ? sourcesOf(METHOD, provenance) : sleepSources(provenance);
  const alone = inBedOnly
    ? "nobody told of sleep: it is the time in bed of all sources"
    : "no other source tells of these hours";
  const noted = provenance as { winner?: string; decided_by?: string | null; in_bed_sources?: string[] };
  return {
    session_id,
    athlete_id,
    date,
    kind,
    source,
    tz,
    total_sleep_s,
    time_in_bed_s,
    start_at: new Date(session.start_at).toISOString(),
    end_at: new Date(session.end_at).toISOString(),
    method: METHOD,
    winner: {
      source_key: noted.winner ?? source,
      decided_by: noted.decided_by ?? null,
      why: sources.set_aside.find(({ source_key }) => source_key !== null)?.reason ?? alone,
    },
    sources,
    in_bed_sources: inBedOnly ? sources.used.map(({ source_key }) => source_key) : (noted.in_bed_sources ?? []),
    instead_of: related.filter((one) => one.superseded_by === session_id),
    superseded_by: related.find((one) => one.session_id === session.superseded_by) ?? null,
    provenance,
  };
};
