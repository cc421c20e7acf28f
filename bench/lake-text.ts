import { textTable } from "../src/ops/text-table.ts";
import type { DeletionsRow } from "./deletions.ts";
import { short, spreadText } from "./figures.ts";
import type { HistoryRow } from "./history.ts";

/** `× duckdb`: how many times the contender that reads through the same store, or local files, takes. */
export const historyText = ({ rows, samples }: { rows: HistoryRow[]; samples: number }): string => {
  const of = (row: HistoryRow, what: string): number =>
    row.ms.median /
    (rows.find((r) => r.span === row.span && r.delay_ms === row.delay_ms && r.what === what)?.ms.median ?? NaN);
  const local = (row: HistoryRow): number =>
    row.ms.median / (rows.find((r) => r.span === row.span && r.what === "DuckDB, local files")?.ms.median ?? NaN);
  const head = [
    "span",
    "+ ms",
    "",
    "ms",
    "CPU ms",
    "GETs",
    "KiB",
    "× DuckDB over HTTP",
    "× download and DuckDB",
    "× DuckDB locally",
  ];
  const body = rows.map((row) => [
    row.span,
    row.delay_ms,
    row.what,
    spreadText(row.ms),
    spreadText(row.cpu_ms),
    row.gets,
    short(row.kib),
    short(of(row, "DuckDB over HTTP, cold")),
    short(of(row, "download, then DuckDB")),
    short(local(row)),
  ]);
  return [...textTable([head, ...body]), "", `${samples.toLocaleString("en")} samples in a year`].join("\n");
};

export const deletionsText = (rows: DeletionsRow[]): string =>
  textTable([
    ["ids", "n", "found", "ms", "CPU ms", "GETs", "MiB"],
    ...rows.map((r) => [r.what, r.ids, r.found, spreadText(r.ms), spreadText(r.cpu_ms), r.gets, short(r.mib)]),
  ]).join("\n");
