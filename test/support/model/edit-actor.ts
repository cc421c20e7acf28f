import { athleteMetric } from "../../../src/domain/athlete-metrics.ts";
import { decideEdit } from "../../../src/edits/decide.ts";
import { writeMetrics } from "./pane-actor.ts";
import type { Actor, Store } from "./store.ts";

/**
 * A person who edits a value, which locks it, or takes the lock off again: which one hangs on what happened before. The
 * athlete is locked from the look at the row to the commit.
 */
export function* editActor(store: Store): Actor {
  yield "edit.begun";
  const rows = [...store.metrics].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const [key, row] = rows[store.sequence % Math.max(1, rows.length)] ?? [];
  const metric = athleteMetric(row?.metric ?? "");
  if (key === undefined || !row || !metric) return;
  const locked = !row.locked || store.sequence % 3 > 0;
  const value = locked ? 700 + (store.sequence % 50) : null;
  const { revision: _, ...before } = row;
  const { after } = decideEdit(metric, row, before, { kind: "change", value, locked });
  if (after && locked) store.hands.set(key, after.value ?? 0);
  else store.hands.delete(key);
  writeMetrics(store, { metrics: { upserts: after ? [after] : [], deletes: after ? [] : [row] } });
  store.version += 1;
  store.locked += 1;
  yield "edit.committed";
}
