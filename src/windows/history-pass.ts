import { HISTORY_DAYS, HISTORY_METRICS } from "../domain/history/history-of.ts";
import { addDays } from "../domain/local-day.ts";
import type { LocalDate } from "../domain/sample.ts";
import { lockAthlete, raiseVersion } from "../flow/athletes.ts";
import { enqueueEffects } from "../flow/commit.ts";
import { digest } from "../flow/digest.ts";
import type { Of } from "../flow/metric-rows.ts";
import type { Reader, Tx } from "../flow/ports.ts";
import { changeMetrics, changeSessions } from "./changes.ts";
import type { WindowsDeps } from "./facts.ts";
import { readHistory } from "./facts-sql.ts";
import { type PassFacts, passChanges } from "./history-changes.ts";
import * as sql from "./history-sql.ts";
import { readSessions } from "./sessions-sql.ts";

/** The order in which a forward pass is carried out, each announced through OnStep. */
export const HISTORY_STEPS = [
  "history.begun",
  "history.read",
  "history.metrics",
  "history.sessions",
  "history.outbox",
  "history.passed",
  "history.committed",
] as const;

/** Days computed at once, so that a change to ten years holds no more in memory than one to a year. */
const STRETCH = 366;

const readStretch = async (tx: Reader, athleteId: string, from: LocalDate, to: LocalDate): Promise<PassFacts> => ({
  from,
  to,
  history: await readHistory(tx, athleteId, addDays(from, -HISTORY_DAYS.back), to),
  metrics: await sql.readDerived(tx, athleteId, HISTORY_METRICS, { from, to }),
  sessions: await readSessions(tx, athleteId, from, to),
});

const passStretch = async (deps: WindowsDeps, tx: Tx, of: Of, span: { from: LocalDate; to: LocalDate }) => {
  const facts = { ...(await readStretch(tx, of.athlete_id, span.from, span.to)), rules: deps.rules };
  await deps.onStep("history.read");
  const { metrics, sessions, closed } = passChanges(facts, digest);
  const events = await changeMetrics(tx, of, metrics, (date) => (closed(date) ? "late" : "early"));
  await deps.onStep("history.metrics");
  events.push(...(await changeSessions(tx, of, { upserts: sessions, deletes: [] })));
  await deps.onStep("history.sessions");
  await enqueueEffects(tx, { events, dead_letters: [] }, of.topic("deadletter"));
  await deps.onStep("history.outbox");
};

/**
 * The forward pass (architecture §3): the days after changed facts are computed anew from the facts as they stand, in
 * one transaction under the athlete's lock, and only what changed in them is written. Panes that read before it start
 * over. Answers whether there was anything to pass on.
 */
export const passHistory = async (deps: WindowsDeps, athleteId: string): Promise<boolean> => {
  const of: Of = { athlete_id: athleteId, topic: deps.topic, now: deps.clock.now() };
  const passed = await deps.db.transaction(async (tx) => {
    await lockAthlete(tx, athleteId);
    await deps.onStep("history.begun");
    const pending = await sql.pendingDates(tx, athleteId);
    if (pending === null) return false;
    const end = addDays(pending.last, HISTORY_DAYS.ahead);
    for (let from = pending.first; from <= end; from = addDays(from, STRETCH)) {
      const last = addDays(from, STRETCH - 1);
      await passStretch(deps, tx, of, { from, to: last < end ? last : end });
    }
    await sql.markPassed(tx, athleteId);
    await raiseVersion(tx, athleteId);
    await deps.onStep("history.passed");
    return true;
  });
  await deps.onStep("history.committed");
  return passed;
};
