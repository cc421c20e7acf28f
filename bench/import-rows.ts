import type { Measured } from "./measure.ts";

/** What a person would run instead: rows in SQLite; no message log, no checks, no daily values. */
export const PEER = "healthkit-to-sqlite";

export type Row = { what: string; records: number; seconds: number; cpu_s: number; peak_mb: number };

export const rowOf = (what: string, records: number, m: Pick<Measured, "ms" | "cpu_s" | "peak_mb">): Row => ({
  what,
  records,
  seconds: m.ms / 1000,
  cpu_s: m.cpu_s,
  peak_mb: m.peak_mb,
});
