import { csvLine } from "../domain/csv.ts";
import type { Sample } from "../domain/sample.ts";

export const EXPORT_FORMATS = ["parquet", "csv", "json"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** A row as plain data; the order of its members is that of columns. */
export type Row = Readonly<Record<string, unknown>>;

const iso = (at: number): string => new Date(at).toISOString();

export const sampleRow = (sample: Sample): Row => ({
  sample_id: sample.sample_id,
  metric: sample.metric,
  start_at: iso(sample.start_at),
  end_at: iso(sample.end_at),
  value: sample.value,
  unit: sample.unit,
  source: sample.source,
  device: sample.device,
  tz: sample.tz,
  local_date: sample.local_date,
  attributes: sample.attributes,
});

/** RFC 4180, a header line first when `header`. Members that are objects are JSON. */
const csvOf = (rows: readonly Row[], header: boolean): string => {
  const lines = header ? [csvLine(Object.keys(rows[0] ?? {}))] : [];
  for (const row of rows) lines.push(csvLine(Object.values(row)));
  return lines.join("");
};

/** One JSON object a line. */
const ndjsonOf = (rows: readonly Row[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** How tables are written: as CSV where that is asked for, else as NDJSON. */
export const extensionOf = (format: ExportFormat): "csv" | "ndjson" => (format === "csv" ? "csv" : "ndjson");

/** `first`: the file's first rows, which CSV begins with a header. */
export const textOf = (format: ExportFormat, rows: readonly Row[], first: boolean): Uint8Array =>
  new TextEncoder().encode(format === "csv" ? csvOf(rows, first) : ndjsonOf(rows));
