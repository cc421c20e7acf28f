import { compare } from "../canonical.ts";
import { NAMESPACE, uuid5 } from "../ids.ts";
import type { Span } from "../interval.ts";
import { localDate } from "../local-day.ts";
import type { AthleteSettings, Digest, Instant, Sample } from "../sample.ts";
import { sourceOrder } from "../source-order.ts";
import { sourceKeyOf } from "../source.ts";
import { type Candidate, type SourceNights, sourceNights } from "./candidates.ts";
import { type Verdict, verdicts } from "./clusters.ts";
import { type InBed, envelope, mergedInBed } from "./in-bed.ts";
import { inBedOnly } from "./in-bed-only.ts";
import { type Unplaced, withKinds } from "./kinds.ts";
import { IN_BED, sleepSegments } from "./segments.ts";
import type { SleepSession } from "./session.ts";
import { type Vitals, vitalsOf } from "./vitals.ts";

export type SleepInput = {
  athlete_id: string;
  /** Live samples of all metrics in a span; near its ends sessions may be cut short (`needsWider`). */
  samples: readonly Sample[];
  settings: AthleteSettings;
};

/** D10: the minute of the onset, of the start in bed only. */
const sessionId = (athlete_id: string, source: string, at: Instant, digest: Digest): string =>
  uuid5(NAMESPACE, `${athlete_id}|${source}|${new Date(at).toISOString().slice(0, 16)}Z`, digest);

const overlaps = (span: Span) => (row: Sample) => row.start_at < span.to && row.end_at > span.from;

const keysOf = (rows: readonly Sample[]): string[] => [...new Set(rows.map(sourceKeyOf))].toSorted(compare);

/** What everybody in a cluster shares of the answer to "why these hours?". */
const clusterProvenance = ({ span, standings, decided_by }: Verdict, aside: Aside): Record<string, unknown> => {
  const count = (rows: readonly Sample[]): number => rows.filter(overlaps(span)).length;
  const { duplicates, conflicts, tooLong } = aside;
  return {
    sources: standings.map(({ sessions, ...standing }) => ({ ...standing, sessions: sessions.length })),
    winner: standings[0].source_key,
    decided_by,
    losers: standings.slice(1).map(({ source_key }) => source_key),
    set_aside: { duplicates: count(duplicates), conflicts: count(conflicts), too_long: count(tooLong) },
  };
};

type Aside = Record<"duplicates" | "conflicts" | "tooLong", readonly Sample[]>;
type Tools = {
  athlete_id: string;
  inBed: readonly InBed[];
  vitals: (sleep: Span) => Vitals;
  digest: Digest;
};

const sessionOf = (candidate: Candidate, shared: Record<string, unknown>, tools: Tools): Unplaced => {
  const { source_key: source, layer, free, figures } = candidate;
  const { last, has_stages: _, ...night } = figures;
  const { onset_at, final_wake_at, total_sleep_s, gap_s } = night;
  const { start_at, end_at, parts } = envelope({ layer, free, onset_at, final_wake_at }, tools.inBed);
  const time_in_bed_s = (end_at - start_at) / 1000;
  return {
    ...night,
    ...tools.vitals({ from: onset_at, to: final_wake_at }),
    session_id: sessionId(tools.athlete_id, source, onset_at, tools.digest),
    athlete_id: tools.athlete_id,
    date: localDate(final_wake_at, last.tz),
    source,
    start_at,
    end_at,
    tz: last.tz,
    time_in_bed_s,
    onset_latency_s: parts.length === 0 ? null : (onset_at - start_at) / 1000,
    efficiency: total_sleep_s / time_in_bed_s,
    superseded_by: null,
    provenance: {
      ...shared,
      in_bed_sources: keysOf(parts.flatMap(({ segments }) => segments)),
      gap_min: gap_s / 60,
    },
  };
};

/** How long two spans overlap; below zero how far they are apart. */
const overlap = (a: Span, b: Span): number => Math.min(a.to, b.to) - Math.max(a.from, b.from);

/** The winner's session that a loser's one overlaps most, the earlier one of equals. */
const supersederOf = (loser: Candidate, winners: readonly Candidate[]): Candidate =>
  winners.reduce((best, one) => (overlap(one.layer, loser.layer) > overlap(best.layer, loser.layer) ? one : best));

type Assembled = { winners: Unplaced[]; superseded: SleepSession[] };

const assemble = (verdict: Verdict, aside: Aside, tools: Tools): Assembled => {
  const shared = clusterProvenance(verdict, aside);
  const [winner, ...losers] = verdict.standings;
  const made = new Map(winner.sessions.map((candidate) => [candidate, sessionOf(candidate, shared, tools)]));
  const superseded = losers.flatMap(({ sessions }) =>
    sessions.map((candidate): SleepSession => {
      const { session_id } = made.get(supersederOf(candidate, winner.sessions)) as Unplaced;
      const session = sessionOf(candidate, shared, tools);
      return { ...session, kind: "secondary", is_main_sleep: false, superseded_by: session_id };
    }),
  );
  return { winners: [...made.values()], superseded };
};

const inOrder = (a: SleepSession, b: SleepSession): number =>
  compare(a.date, b.date) || a.start_at - b.start_at || compare(a.session_id, b.session_id);

/**
 * All sleep sessions that the samples tell of (`sleep_session/1`, healthkit.md §3.2, D7–D12, D20, D21), by date, start
 * and id: winners, those they supersede, and nights of which only the bed is known. A pure function of the set of
 * samples: neither order nor arrival matters.
 */
export const sleepSessions = ({ athlete_id, samples, settings }: SleepInput, digest: Digest): SleepSession[] => {
  const { segments, tooLong } = sleepSegments(samples);
  const stages = segments.filter(({ value }) => value !== IN_BED);
  const inBedRows = segments.filter(({ value }) => value === IN_BED);
  const nights = sourceNights(stages);
  const of = (pick: (night: SourceNights) => readonly Sample[]): Sample[] => nights.flatMap(pick);
  const aside = { duplicates: of((night) => night.duplicates), conflicts: of((night) => night.conflicts), tooLong };
  const tools = { athlete_id, inBed: mergedInBed(inBedRows), vitals: vitalsOf(samples), digest };
  const candidates = nights.flatMap((night) => night.candidates);
  const clusters = verdicts(candidates, sourceOrder(settings, "sleep_analysis")).map((verdict) =>
    assemble(verdict, aside, tools),
  );
  return [
    ...withKinds(clusters.flatMap(({ winners }) => winners)),
    ...clusters.flatMap(({ superseded }) => superseded),
    ...inBedOnly(tools.inBed, stages).map((night) => ({
      ...night,
      session_id: sessionId(athlete_id, night.source, night.start_at, digest),
      athlete_id,
    })),
  ].toSorted(inOrder);
};
