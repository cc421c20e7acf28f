import type { LocalDate, Sample } from "../domain/sample.ts";
import type { PaneFacts, Pointer } from "./facts.ts";

/** A day's or a month's object that must be written, with the pointer it takes over from. */
export type PartitionObject = Pick<Pointer, "period_start" | "period_end" | "level" | "rows_hash"> & {
  rows: readonly Sample[];
  replaces: Pointer | null;
};

type Stored = PaneFacts["stored"];
type Changes = { objects: PartitionObject[]; removed: Pointer[] };

const holds = (month: Pointer, date: LocalDate): boolean => month.period_start <= date && date <= month.period_end;

/** Whether two pointers are to one object. */
const isPartOf = (month: Pointer, { object_key }: Pointer): boolean => object_key === month.object_key;

/**
 * Months taken apart into their days, so that panes decide on days alone. Such a day has no hash of its own: whether
 * anything changed shows when the month is put together again.
 */
export const daysOfMonths = (stored: Stored): Stored =>
  stored.flatMap((entry) => {
    if (entry.pointer.level === "day") return [entry];
    const days = Map.groupBy(entry.rows, (row) => row.local_date);
    return [...days].map(([date, rows]) => ({
      pointer: { ...entry.pointer, period_start: date, period_end: date, rows_hash: "" },
      rows,
    }));
  });

const monthOf = (month: Pointer, days: Stored, changes: Changes, rowsHash: (rows: readonly Sample[]) => string) => {
  const written = changes.objects.filter(({ period_start }) => holds(month, period_start));
  const gone = changes.removed.filter((pointer) => isPartOf(month, pointer));
  const changed = new Set([...written, ...gone].map(({ period_start }) => period_start));
  if (changed.size === 0) return null;
  const kept = days.filter(({ pointer }) => isPartOf(month, pointer) && !changed.has(pointer.period_start));
  const rows = [...kept.flatMap((day) => day.rows), ...written.flatMap((day) => day.rows)];
  return { month, rows, rows_hash: rows.length === 0 ? "" : rowsHash(rows) };
};

/**
 * The inverse of `daysOfMonths` for what a pane has decided: days of a month that has one object change that object,
 * which is written once whatever the number of its days; equal rows change nothing.
 */
export const gatheredMonths = (
  changes: Changes,
  { stored, days }: { stored: Stored; days: Stored },
  rowsHash: (rows: readonly Sample[]) => string,
): Changes => {
  const months = stored.map(({ pointer }) => pointer).filter(({ level }) => level === "month");
  const inMonth = (date: LocalDate): boolean => months.some((month) => holds(month, date));
  const gathered: Changes = {
    objects: changes.objects.filter(({ period_start }) => !inMonth(period_start)),
    removed: changes.removed.filter(({ period_start }) => !inMonth(period_start)),
  };
  for (const pointer of months) {
    const found = monthOf(pointer, days, changes, rowsHash);
    if (found === null || found.rows_hash === pointer.rows_hash) continue;
    if (found.rows.length === 0) gathered.removed.push(pointer);
    else {
      const { period_start, period_end, level } = pointer;
      const { rows, rows_hash } = found;
      gathered.objects.push({ period_start, period_end, level, rows, rows_hash, replaces: pointer });
    }
  }
  return gathered;
};
