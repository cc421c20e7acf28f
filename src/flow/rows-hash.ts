import type { Sample } from "../domain/sample.ts";
import type { StreamRow } from "../domain/sleep/streams.ts";
import { sha256Hex } from "./digest.ts";

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The total order of rows in an object: metric, start_at, end_at, sample_id (lake-layout.md). Ids in lower case. */
export const compareRows = (a: Sample, b: Sample): number =>
  compareText(a.metric, b.metric) ||
  a.start_at - b.start_at ||
  a.end_at - b.end_at ||
  compareText(a.sample_id, b.sample_id);

/** The total order of rows in a sleep_streams object: rows that are equal in it are equal. */
export const compareStreamRows = (a: StreamRow, b: StreamRow): number =>
  compareText(a.channel, b.channel) ||
  a.start_at - b.start_at ||
  a.end_at - b.end_at ||
  compareText(a.source, b.source) ||
  a.value - b.value;

/** JSON with the keys of every object in order, so that equal values give equal text. Undefined members are left out. */
export const canonicalJson = (value: unknown): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
};

/**
 * SHA-256 of the rows, whatever order they come in and whatever compressor will write them: decides whether a day
 * changed at all. received_at counts: which copy of an id wins depends on it (D6), so a row that differs only there
 * must be written, or a later copy would be compared with the wrong one.
 */
export const rowsHash = (samples: readonly Sample[]): string => {
  const rows = samples
    .toSorted(compareRows)
    .map((sample) =>
      canonicalJson([
        sample.athlete_id,
        sample.sample_id,
        sample.metric,
        sample.start_at,
        sample.end_at,
        sample.value,
        sample.unit,
        sample.source,
        sample.device,
        sample.tz,
        sample.local_date,
        sample.attributes,
        sample.received_at,
      ]),
    );
  return sha256Hex(Buffer.from(rows.join("\n"), "utf8"));
};

/** SHA-256 of a sleep stream's rows, whatever order they come in. */
export const streamHash = (rows: readonly StreamRow[]): string => {
  const lines = rows
    .toSorted(compareStreamRows)
    .map((row) => canonicalJson([row.session_id, row.channel, row.start_at, row.end_at, row.source, row.value]));
  return sha256Hex(Buffer.from(lines.join("\n"), "utf8"));
};
