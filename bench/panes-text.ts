import { textTable } from "../src/ops/text-table.ts";
import { short, spreadText } from "./figures.ts";
import { DRAIN, DUCKDB, DUCKDB_DAYS, PANES, type PanesFigures } from "./panes.ts";

/** `panes are`: how many times as fast as the contender. Memory: all processes of the worker, and the largest of them. */
export const panesText = ({ rows, days, contenders }: PanesFigures): string => {
  const of = (what: string) => contenders.find((one) => one.what === what);
  const rate = (what: string): number => of(what)?.rows_s.median ?? Number.NaN;
  const size = (what: string): number => of(what)?.bytes_row ?? Number.NaN;
  const head = ["", "rows/s", "CPU µs/row", "bytes/row", "peak MB", "of one process", "panes are"];
  const body = contenders.map((one) => [
    one.what,
    spreadText(one.rows_s),
    spreadText(one.cpu_us),
    short(one.bytes_row),
    short(one.peak_mb),
    short(one.largest_mb),
    `${short(rate(PANES) / one.rows_s.median)} ×`,
  ]);
  return [
    ...textTable([head, ...body]),
    "",
    `${rows.toLocaleString("en")} rows, ${days} days an athlete`,
    `of the drain: ${short(rate(PANES) / rate(DRAIN))} (goal 0.5); of DuckDB: ${short(rate(PANES) / rate(DUCKDB))}, ` +
      `a file a day ${short(rate(PANES) / rate(DUCKDB_DAYS))} (goal 1)`,
    `bytes a row of DuckDB's: ${short(size(PANES) / size(DUCKDB))}, a file a day ` +
      `${short(size(PANES) / size(DUCKDB_DAYS))} (goal 0.9)`,
  ].join("\n");
};
