import { dayMetrics } from "../domain/day-metrics.ts";
import { factsOf } from "../domain/history/facts-of.ts";
import type { DayFacts } from "../domain/history/facts.ts";
import { type DayHistory, historyOf } from "../domain/history/history-of.ts";
import type { MetricValue } from "../domain/metric-value.ts";
import type { Digest, LocalDate, Sample } from "../domain/sample.ts";
import type { SleepSession } from "../domain/sleep/session.ts";
import { sleepSessions } from "../domain/sleep/sessions.ts";
import { streamsOf } from "../domain/sleep/streams.ts";
import { inputSpan } from "../domain/window.ts";
import type { PaneDay, PaneFacts, SessionRow } from "./facts.ts";
import { type FactsChanges, factsChanges } from "./facts-changes.ts";
import { type MetricChanges, dateChanges } from "./metric-changes.ts";
import { NO_SCORE, type SessionChanges, type StreamChanges, sessionChanges, streamChanges } from "./session-changes.ts";

/** What a pane changes beside objects and pointers of days. */
export type Results = StreamChanges & { metrics: MetricChanges; sessions: SessionChanges; facts: FactsChanges };

/** A day by itself: what its own samples and sessions say. */
type OwnDay = { day: PaneDay; sessions: readonly SleepSession[]; metrics: MetricValue[]; facts: DayFacts | null };

const isClosing = ({ pane }: PaneDay): boolean => pane !== "early";

const sessionsOf = (days: readonly OwnDay[]): SleepSession[] => days.flatMap((own) => own.sessions);

const ownDay = (
  day: PaneDay,
  facts: PaneFacts,
  at: { live: readonly Sample[]; sessions: readonly SleepSession[]; digest: Digest },
): OwnDay => {
  const { date } = day;
  const span = inputSpan(date);
  const samples = at.live.filter((sample) => sample.end_at >= span.from && sample.start_at < span.to);
  const totals = facts.totals.filter((total) => total.date === date);
  const sessions = at.sessions.filter((session) => session.date === date);
  const metrics = dayMetrics({ date, samples, totals, sessions, settings: facts.settings }, at.digest);
  const remembered = factsOf({ date, final: isClosing(day), metrics, sessions, samples });
  return { day, sessions, metrics, facts: remembered };
};

/** History as it will be: stored facts, and in their place the new ones of the dates that fire. */
const historyWith = (facts: PaneFacts, days: readonly OwnDay[], digest: Digest): Map<LocalDate, DayHistory> => {
  const known = new Map<LocalDate, DayFacts>();
  for (const row of facts.history) if (row.facts !== null) known.set(row.date, row.facts);
  for (const own of days) {
    if (own.facts === null) known.delete(own.day.date);
    else known.set(own.day.date, own.facts);
  }
  const dates = days.map((own) => own.day.date);
  return historyOf(known, dates, digest, facts.rules);
};

const sessionRow = (session: SleepSession, day: PaneDay, history: DayHistory | undefined): SessionRow => {
  const { session_id, ...score } = history?.score ?? { session_id: null };
  const own = session_id === session.session_id ? score : {};
  return { ...session, ...NO_SCORE, ...own, is_final: isClosing(day) };
};

/**
 * Sessions, daily values, facts and streams of the dates that fire: a pure function of the live samples around them
 * (D18) and of earlier days' facts. Values that need earlier days are among them, so that one change is one event.
 */
export const decideResults = (facts: PaneFacts, live: readonly Sample[], digest: Digest): Results => {
  const { athlete_id, settings } = facts;
  const sessions = sleepSessions({ athlete_id, samples: live, settings }, digest);
  const days = facts.days.map((day) => ownDay(day, facts, { live, sessions, digest }));
  const history = historyWith(facts, days, digest);
  const metrics: MetricChanges = { upserts: [], deletes: [] };
  for (const { day, metrics: own } of days) {
    const existing = facts.metrics.filter((row) => row.date === day.date);
    const past = history.get(day.date) as DayHistory;
    const changes = dateChanges(existing, { date: day.date, own, isFinal: isClosing(day), past });
    metrics.upserts.push(...changes.upserts);
    metrics.deletes.push(...changes.deletes);
  }
  const rows = days.flatMap(({ day, sessions: own }) =>
    own.map((session) => sessionRow(session, day, history.get(day.date))),
  );
  const alive = new Set(sessions.map((session) => session.session_id));
  const changed = sessionChanges(new Set(days.map(({ day }) => day.date)), facts.sessions, rows, alive);
  const closed = sessionsOf(days.filter(({ day }) => isClosing(day)));
  // A stream is written when its day closes: one that a session brings along to an open day tells of an earlier night.
  const open = sessionsOf(days.filter(({ day }) => !isClosing(day))).map((session) => session.session_id);
  return {
    metrics,
    sessions: changed,
    facts: factsChanges(facts.history, new Map(days.map((own) => [own.day.date, own.facts])), digest),
    ...streamChanges(closed, [...changed.deletes, ...open], facts.streams, streamsOf(live)),
  };
};
