import { canonicalJson, compare } from "../domain/canonical.ts";
import { compareRows } from "../domain/merge.ts";
import { rowText } from "../domain/row-text.ts";
import type { Sample } from "../domain/sample.ts";
import type { StreamRow } from "../domain/sleep/streams.ts";
import { sha256Hex } from "./digest.ts";

/** The total order of rows in a sleep_streams object: rows that are equal in it are equal. */
export const compareStreamRows = (a: StreamRow, b: StreamRow): number =>
  compare(a.channel, b.channel) ||
  compare(a.start_at, b.start_at) ||
  compare(a.end_at, b.end_at) ||
  compare(a.source, b.source) ||
  compare(a.value, b.value);

/**
 * SHA-256 of the rows, whatever order they come in and whatever compressor will write them: decides whether a day
 * changed at all. received_at counts: which copy of an id wins depends on it (D6), so a row that differs only there
 * must be written, or a later copy would be compared with the wrong one.
 */
export const rowsHash = (samples: readonly Sample[]): string => {
  const rows = samples.toSorted(compareRows).map(rowText);
  return sha256Hex(Buffer.from(rows.join("\n"), "utf8"));
};

/** SHA-256 of a sleep stream's rows, whatever order they come in. */
export const streamHash = (rows: readonly StreamRow[]): string => {
  const lines = rows
    .toSorted(compareStreamRows)
    .map((row) => canonicalJson([row.session_id, row.channel, row.start_at, row.end_at, row.source, row.value]));
  return sha256Hex(Buffer.from(lines.join("\n"), "utf8"));
};
