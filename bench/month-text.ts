import { sparkline, textTable } from "../src/ops/text-table.ts";
import { short } from "./figures.ts";
import type { MonthDay } from "./month.ts";

/** Nothing that is kept for a day only grows by more than this from the first third to the last. */
const FLAT = 1.25;

const mean = (days: readonly MonthDay[], of: (day: MonthDay) => number): number =>
  days.reduce((sum, day) => sum + of(day), 0) / days.length;

/** What the last third has of what the first third has, without the day it began. */
export const growthOf = (
  days: readonly MonthDay[],
): { rows: number; table: number; indexes: number; flat: boolean } => {
  const third = Math.max(1, Math.floor((days.length - 1) / 3));
  const growth = (of: (day: MonthDay) => number): number =>
    mean(days.slice(-third), of) / mean(days.slice(1, 1 + third), of);
  const grown = {
    rows: growth(({ staged }) => staged),
    table: growth(({ table_mb }) => table_mb),
    indexes: growth(({ index_mb }) => index_mb),
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
    `last third of the first: rows ${short(rows)}, table ${short(table)}, indexes ${short(indexes)}: ` +
      `${flat ? "flat" : "NOT FLAT"} (flat: at most ${FLAT})`,
  ].join("\n");
};
