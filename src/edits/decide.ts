import type { AthleteMetric } from "../domain/athlete-metrics.ts";
import type { MetricKey, MetricRow } from "../flow/metric-rows.ts";
import { Problem } from "../flow/route.ts";
import { impossible } from "./check.ts";

/** What a person wants of one row; values are canonical. `locked` null: as it is. */
export type Wish =
  | { kind: "enter"; value: number; locked: boolean | null }
  | { kind: "change"; value: number | null; locked: boolean }
  | { kind: "delete" };

export type Action = "set" | "edit" | "lock" | "unlock" | "delete";

/** `action` null: the row stands as it was wished already. `after` null: there is no row. */
export type Decision = { action: Action | null; after: MetricRow | null };

const entered = (metric: AthleteMetric, key: MetricKey, { value, locked }: { value: number; locked: boolean }) => ({
  ...key,
  value,
  unit: metric.unit,
  locked,
  synced_value: null,
  is_final: true,
  method: null,
  input_hash: null,
  provenance: null,
});

const asItIs = (row: MetricRow | null): Decision => ({ action: null, after: row });

const enter = (metric: AthleteMetric, key: MetricKey, before: MetricRow | null, wish: Wish & { kind: "enter" }) => {
  const locked = wish.locked ?? before?.locked ?? false;
  if (before && before.value === wish.value && before.locked === locked) return asItIs(before);
  return { action: "set" as const, after: entered(metric, key, { value: wish.value, locked }) };
};

const actionOf = (before: MetricRow, after: MetricRow): Action | null => {
  if (before.value !== after.value) return "edit";
  if (before.locked === after.locked) return null;
  return after.locked ? "lock" : "unlock";
};

/**
 * A computed row: an edit locks it, and what the sync would have written stays beside it. Unlocking brings that back;
 * where the inputs have vanished meanwhile there is nothing to bring back, and the row goes (contract §3).
 */
const changeSynced = (before: MetricRow, { value, locked }: Wish & { kind: "change" }): Decision => {
  if (!locked && value !== null) {
    throw impossible({
      path: "locked",
      detail: "must be true with a new value, or the next sync would undo it; a value of your own is PUT instead",
    });
  }
  if (locked) {
    const synced_value = before.locked ? before.synced_value : before.value;
    const after = { ...before, value: value ?? before.value, locked, synced_value };
    return { action: actionOf(before, after), after };
  }
  if (!before.locked) return asItIs(before);
  if (before.synced_value === null) return { action: "unlock", after: null };
  return { action: "unlock", after: { ...before, value: before.synced_value, locked, synced_value: null } };
};

/** What becomes of a row, by what a person wishes: pure. Throws Problem 404 where there is no row to change, and 422. */
export const decideEdit = (metric: AthleteMetric, key: MetricKey, before: MetricRow | null, wish: Wish): Decision => {
  if (wish.kind === "enter") return enter(metric, key, before, wish);
  if (wish.kind === "delete") return before ? { action: "delete", after: null } : asItIs(null);
  if (!before) {
    const own = key.source === "manual" ? "PUT a manual value first" : "PUT a manual value instead";
    throw new Problem(404, `there is no ${key.source} value of ${key.metric} on ${key.date}: ${own}`);
  }
  if (before.source !== "manual") return changeSynced(before, wish);
  const after = { ...before, value: wish.value ?? before.value, locked: wish.locked };
  return { action: actionOf(before, after), after };
};
