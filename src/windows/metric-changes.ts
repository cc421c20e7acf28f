import type { MetricValue } from "../domain/day-metrics.ts";
import { type DayHistory, HISTORY_METRICS } from "../domain/history/history-of.ts";
import type { LocalDate } from "../domain/sample.ts";
import { canonicalJson } from "../domain/canonical.ts";
import type { MetricKey, MetricRow } from "../flow/metric-rows.ts";

/** Rows as they shall stand, and rows that shall go. A row in neither list stays as it is. */
export type MetricChanges = { upserts: MetricRow[]; deletes: MetricKey[] };

const content = (row: MetricRow): string =>
  canonicalJson([
    row.value,
    row.unit,
    row.locked,
    row.synced_value,
    row.is_final,
    row.method,
    row.input_hash,
    row.provenance,
  ]);

const rowOf = (date: LocalDate, value: MetricValue, isFinal: boolean): MetricRow => ({
  date,
  metric: value.metric,
  source: value.source,
  value: value.value,
  unit: value.unit,
  locked: false,
  synced_value: null,
  is_final: isFinal,
  method: value.method,
  input_hash: value.input_hash,
  provenance: value.provenance,
});

/**
 * What computed values change in a date's rows. A locked row keeps its value and unit: a person's hand alone changes
 * them (I7); what the sync would have written stands in `synced_value`, with the method and inputs behind it, so that
 * unlocking finds a whole row. When its inputs vanish it stays, with `synced_value` null.
 */
export const metricChanges = (
  date: LocalDate,
  existing: readonly MetricRow[],
  computed: readonly MetricValue[],
  isFinal: boolean,
): MetricChanges => {
  const changes: MetricChanges = { upserts: [], deletes: [] };
  const left = new Map(existing.map((row) => [`${row.metric}|${row.source}`, row]));
  for (const value of computed) {
    const key = `${value.metric}|${value.source}`;
    const before = left.get(key);
    left.delete(key);
    const synced = rowOf(date, value, isFinal);
    const after = before?.locked
      ? { ...synced, value: before.value, unit: before.unit, locked: true, synced_value: value.value }
      : synced;
    if (!before || content(before) !== content(after)) changes.upserts.push(after);
  }
  for (const row of left.values()) {
    if (!row.locked) {
      changes.deletes.push({ date, metric: row.metric, source: row.source });
      continue;
    }
    const orphan = { ...row, synced_value: null, is_final: isFinal, method: null, input_hash: null, provenance: null };
    if (content(row) !== content(orphan)) changes.upserts.push(orphan);
  }
  return changes;
};

const WITH_HISTORY: ReadonlySet<string> = new Set(HISTORY_METRICS);

/** Whether it is one of the values that need earlier days. */
export const needsHistory = ({ metric, source }: Pick<MetricRow, "metric" | "source">): boolean =>
  source === "derived" && WITH_HISTORY.has(metric);

/** What changes in a date's values with history, and in nothing else. */
export const historyChanges = (
  date: LocalDate,
  existing: readonly MetricRow[],
  past: Pick<DayHistory, "metrics" | "final">,
): MetricChanges => metricChanges(date, existing.filter(needsHistory), past.metrics, past.final);

/** What changes in a date as a whole: its own values are final with the day, those with history with all they read. */
export const dateChanges = (
  existing: readonly MetricRow[],
  day: { date: LocalDate; own: readonly MetricValue[]; isFinal: boolean; past: DayHistory },
): MetricChanges => {
  const others = existing.filter((row) => !needsHistory(row));
  const own = metricChanges(day.date, others, day.own, day.isFinal);
  const past = historyChanges(day.date, existing, { ...day.past, final: day.isFinal && day.past.final });
  return { upserts: [...own.upserts, ...past.upserts], deletes: [...own.deletes, ...past.deletes] };
};
