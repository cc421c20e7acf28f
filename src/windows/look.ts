import { type DueDay, closeMoment, duePane, nextPane } from "./due.ts";
import type { WindowsDeps } from "./facts.ts";
import type { AppliedPast } from "./applied.ts";
import { type Candidate, backlogOf, candidates, stagedRows } from "./sql.ts";

type LookDeps = WindowsDeps & { appliedPast: AppliedPast; isTransient: (error: unknown) => boolean };

/** Asks the log once for windows that close together; while it cannot be asked, days stay open. */
const createAsk = (deps: LookDeps): ((window: Candidate) => Promise<boolean>) => {
  const answers = new Map<string, Promise<boolean>>();
  const ask = async (window: Candidate): Promise<boolean> => {
    try {
      return await deps.appliedPast(window.topic_partition, closeMoment(window, deps.config));
    } catch (error) {
      if (!deps.isTransient(error)) throw error;
      deps.telemetry.warn("log_unavailable", { error: String(error) });
      return false;
    }
  };
  return (window) => {
    const key = `${window.topic_partition}|${window.closes_at}`;
    const known = answers.get(key) ?? ask(window);
    answers.set(key, known);
    return known;
  };
};

/** The days that are due now in these topic partitions, by athlete. */
export const dueDays = async (deps: LookDeps, partitions: readonly number[]): Promise<Map<string, DueDay[]>> => {
  const now = deps.clock.now();
  const rules = deps.config;
  const windows = await candidates(deps.db, partitions, now, rules);
  // Only where nothing but a full staging area would make it due: counting a backlog of athletes again and again costs
  // the database more than their panes do.
  const waits = (window: Candidate): boolean =>
    nextPane(window, now, rules) === "late" &&
    duePane(window, { now, applied: false, backlog: backlogOf(window, new Map()) }, rules) === null;
  const waiting = new Set(windows.filter(waits).map((window) => window.athlete_id));
  const staged = await stagedRows(deps.db, [...waiting], rules.backlog_cap);
  const ask = createAsk(deps);
  const due = new Map<string, DueDay[]>();
  for (const window of windows) {
    const applied = nextPane(window, now, rules) === "on_time" && (await ask(window));
    const pane = duePane(window, { now, applied, backlog: backlogOf(window, staged) }, rules);
    if (pane === null) continue;
    const days = due.get(window.athlete_id);
    const day = { date: window.local_date, pane, rolled: window.rolled };
    if (days) days.push(day);
    else due.set(window.athlete_id, [day]);
  }
  return due;
};
