import { sparkline, textTable } from "../src/ops/text-table.ts";
import { short } from "./figures.ts";
import type { MonthDay } from "./month.ts";

const mean = (days: readonly MonthDay[], of: (day: MonthDay) => number): number =>
  days.reduce((sum, day) => sum + of(day), 0) / days.length;

/** A line a simulated day; flat is what the last third has of what the first third has, without the day it began. */
export const monthText = (days: readonly MonthDay[]): string => {
  const head = ["date", "sent", "staged", "most an athlete", "table MB", "index MB", "dead", "in Parquet"];
  const body = days.map((day) => [
    day.date,
    day.sent,
    day.staged,
    day.most,
    short(day.table_mb),
    short(day.index_mb),
    day.dead,
    day.stored,
  ]);
  const third = Math.max(1, Math.floor((days.length - 1) / 3));
  const growth = (of: (day: MonthDay) => number): string =>
    short(mean(days.slice(-third), of) / mean(days.slice(1, 1 + third), of));
  return [
    ...textTable([head, ...body]),
    "",
    `staged ${sparkline(days.map(({ staged }) => staged))}  table ${sparkline(days.map(({ table_mb }) => table_mb))}`,
    `last third of the first: rows ${growth(({ staged }) => staged)}, table ${growth(({ table_mb }) => table_mb)}, ` +
      `indexes ${growth(({ index_mb }) => index_mb)} (goal: flat)`,
  ].join("\n");
};
