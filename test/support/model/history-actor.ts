import { HISTORY_DAYS } from "../../../src/domain/history/history-of.ts";
import { addDays } from "../../../src/domain/local-day.ts";
import { digest } from "../../../src/flow/digest.ts";
import { passChanges } from "../../../src/windows/history-changes.ts";
import { needsHistory } from "../../../src/windows/metric-changes.ts";
import { writeMetrics } from "./pane-actor.ts";
import type { Actor, Store } from "./store.ts";

export const pendingHistory = (store: Store): string[] =>
  [...store.history.values()].filter((row) => row.passed_hash !== row.hash).map((row) => row.date);

/** The one transaction: the athlete is locked from its first step to its last. */
const pass = (store: Store): void => {
  const pending = pendingHistory(store).toSorted();
  const [from, last] = [pending[0], pending.at(-1)];
  if (from === undefined || last === undefined) return;
  const metrics = [...store.metrics.values()].filter(needsHistory);
  const history = [...store.history.values()];
  writeMetrics(
    store,
    passChanges({ from, to: addDays(last, HISTORY_DAYS.ahead), history, metrics, sessions: [] }, digest),
  );
  for (const row of history) {
    if (row.facts === null) store.history.delete(row.date);
    else store.history.set(row.date, { ...row, passed_hash: row.hash });
  }
  store.version += 1;
  store.locked += 1;
};

/** The forward pass over what days remember. */
export function* historyActor(store: Store): Actor {
  yield "history.begun";
  yield "history.read";
  yield "history.metrics";
  yield "history.sessions";
  yield "history.outbox";
  yield "history.passed";
  pass(store);
  yield "history.committed";
}
