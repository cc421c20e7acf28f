import type { DayFacts } from "../domain/history/facts.ts";
import { type DayHistory, historyOf } from "../domain/history/history-of.ts";
import type { Rules } from "../domain/history/rules.ts";
import type { Digest, LocalDate } from "../domain/sample.ts";
import type { MetricRow } from "../flow/metric-rows.ts";
import { canonicalJson } from "../domain/canonical.ts";
import type { FactsRow, SessionRow } from "./facts.ts";
import { type MetricChanges, historyChanges } from "./metric-changes.ts";
import { NO_SCORE } from "./session-changes.ts";

/** What a stretch of days stands on: facts from `HISTORY_DAYS.back` before it to its end, and its rows as they stand. */
export type PassFacts = {
  from: LocalDate;
  to: LocalDate;
  history: readonly FactsRow[];
  metrics: readonly MetricRow[];
  sessions: readonly SessionRow[];
  /** Versions of rules in force; absent: the current ones. */
  rules?: Rules | undefined;
};

export type PassChanges = {
  metrics: MetricChanges;
  sessions: SessionRow[];
  /** Whether a date has closed. */
  closed: (date: LocalDate) => boolean;
};

const rescored = (sessions: readonly SessionRow[], history: ReadonlyMap<LocalDate, DayHistory>): SessionRow[] =>
  sessions.flatMap((row) => {
    const day = history.get(row.date);
    if (day === undefined) return [];
    const { session_id, ...score } = day.score ?? { session_id: null };
    const after = { ...row, ...NO_SCORE, ...(session_id === row.session_id ? score : {}) };
    return canonicalJson(after) === canonicalJson(row) ? [] : [after];
  });

/**
 * What earlier days' facts change in a stretch of days, and nothing else of them: values with history and sessions'
 * scores. Days without facts have neither.
 */
export const passChanges = (facts: PassFacts, digest: Digest): PassChanges => {
  const known = new Map<LocalDate, DayFacts>();
  for (const row of facts.history) if (row.facts !== null) known.set(row.date, row.facts);
  const dates = [...known.keys()].filter((date) => date >= facts.from && date <= facts.to);
  const history = historyOf(known, dates, digest, facts.rules);
  const metrics: MetricChanges = { upserts: [], deletes: [] };
  const existing = Map.groupBy(facts.metrics, (row) => row.date);
  for (const [date, past] of history) {
    const changes = historyChanges(date, existing.get(date) ?? [], past);
    metrics.upserts.push(...changes.upserts);
    metrics.deletes.push(...changes.deletes);
  }
  return {
    metrics,
    sessions: rescored(facts.sessions, history),
    closed: (date) => known.get(date)?.final ?? false,
  };
};
