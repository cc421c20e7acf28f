import { sparkline, textTable } from "../src/ops/text-table.ts";
import { short } from "./figures.ts";
import type { MonthDay } from "./month.ts";

/** Nothing that is kept for a day only grows by more than this from the first third to the last. */
const FLAT = 1.25;

/**
 * What the last third has of what the first third has, without the day it began: rows of those that came that day, since
 * days differ; bytes of the largest staging so far, since Postgres keeps the room of rows that have left.
 */
export const growthOf = (
  days: readonly MonthDay[],
): { rows: number; table: number; indexes: number; flat: boolean } => {
  const third = Math.max(1, Math.floor((days.length - 1) / 3));
  let largest = 0;
  const seen = days.map((day) => ({ ...day, largest: (largest = Math.max(largest, day.staged)) }));
  const growth = (of: (day: (typeof seen)[number]) => number): number => {
    const mean = (some: typeof seen): number => some.reduce((sum, day) => sum + of(day), 0) / some.length;
    return mean(seen.slice(-third)) / mean(seen.slice(1, 1 + third));
  };
  const grown = {
    rows: growth((day) => day.staged / day.sent),
    table: growth((day) => day.table_mb / day.largest),
    indexes: growth((day) => day.index_mb / day.largest),
  };
  return { ...grown, flat: Object.values(grown).every((times) => times <= FLAT) };
};

/** A line a simulated day, and whether staging is flat. */
export const monthText = (days: readonly MonthDay[]): string => {
  const head = [
    "date",
    "sent",
    "staged",
    "rows an athlete",
    "most",
    "table MB",
    "index MB",
    "table + index B a sample of the day",
    "dead",
    "in Parquet",
    "seconds",
  ];
  const body = days.map((day) => [
    day.date,
    day.sent,
    day.staged,
    short(day.staged / day.athletes),
    day.most,
    short(day.table_mb),
    short(day.index_mb),
    short((1e6 * (day.table_mb + day.index_mb)) / day.sent),
    day.dead,
    day.stored,
    short(day.seconds),
  ]);
  const { rows, table, indexes, flat } = growthOf(days);
  return [
    ...textTable([head, ...body]),
    "",
    `staged ${sparkline(days.map(({ staged }) => staged))}  table ${sparkline(days.map(({ table_mb }) => table_mb))}`,
    `last third of the first: rows of a day's ${short(rows)}, bytes of table ${short(table)} and indexes ${short(indexes)}: ` +
      `${flat ? "flat" : "NOT FLAT"} (flat: at most ${FLAT})`,
  ].join("\n");
};
