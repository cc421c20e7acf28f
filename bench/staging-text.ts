import { textTable } from "../src/ops/text-table.ts";
import { short, spreadText } from "./figures.ts";
import { AGAIN, CHUNKS, COPY, INSERT, STAGING, type StagingFigures, UPSERT } from "./staging.ts";

/** `staging is`: how many times as fast as the contender staging is without duplicates. WAL is of the whole cluster. */
export const stagingText = ({ rows, records, bytes, contenders }: StagingFigures): string => {
  const of = (what: string) => contenders.find((one) => one.what === what);
  const rate = (what: string): number => of(what)?.rows_s.median ?? Number.NaN;
  const wal = (what: string): number => of(what)?.wal_mb.median ?? Number.NaN;
  const head = ["", "rows/s", "CPU µs/row", "peak MB", "WAL MB", "staging is"];
  const body = contenders.map((one) => [
    one.what,
    spreadText(one.rows_s),
    spreadText(one.cpu_us),
    short(one.peak_mb),
    spreadText(one.wal_mb),
    `${short(rate(STAGING) / one.rows_s.median)} ×`,
  ]);
  return [
    ...textTable([head, ...body]),
    "",
    `${rows.toLocaleString("en")} rows from ${records.toLocaleString("en")} records, ${short(bytes / 1e6)} MB encoded`,
    `of COPY: ${short(rate(STAGING) / rate(COPY))} (goal 0.5); times the usual ways: ` +
      `${short(rate(STAGING) / rate(INSERT))}, ${short(rate(STAGING) / rate(UPSERT))} (goal 3); ` +
      `where they read our chunks: ${short(rate(STAGING) / rate(CHUNKS))}`,
    `WAL of all duplicates beside the first pass: ${short((100 * wal(AGAIN)) / wal(STAGING))} % (goal 10)`,
  ].join("\n");
};
