import type { SchemaElement } from "hyparquet";
import type { Sample } from "../domain/sample.ts";

export type ColumnName = Exclude<keyof Sample, "received_at">;

export type Column = {
  element: SchemaElement & { name: ColumnName };
  /** Absent: the writer takes a dictionary where it halves the bytes. */
  encoding?: "RLE_DICTIONARY" | "DELTA_BINARY_PACKED" | "PLAIN";
  statistics?: true;
  uncompressed?: true;
};

const text = (name: ColumnName, repetition_type: "REQUIRED" | "OPTIONAL" = "REQUIRED"): Column["element"] => ({
  name,
  type: "BYTE_ARRAY",
  converted_type: "UTF8",
  logical_type: { type: "STRING" },
  repetition_type,
});

const instant = (name: ColumnName): Column["element"] => ({
  name,
  type: "INT64",
  converted_type: "TIMESTAMP_MILLIS",
  logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
  repetition_type: "REQUIRED",
});

/**
 * The columns of health_streams with their encodings, as measured in lake-layout.md. source to value are neighbours,
 * so that a series is one range; sample_id is last, because most readers skip its 16 incompressible bytes a row.
 */
export const COLUMNS: readonly Column[] = [
  { element: text("athlete_id"), encoding: "RLE_DICTIONARY" },
  { element: text("metric"), encoding: "RLE_DICTIONARY", statistics: true },
  { element: text("unit"), encoding: "RLE_DICTIONARY" },
  { element: text("source"), encoding: "RLE_DICTIONARY" },
  { element: text("device", "OPTIONAL"), encoding: "RLE_DICTIONARY" },
  { element: text("tz"), encoding: "RLE_DICTIONARY" },
  {
    element: {
      name: "local_date",
      type: "INT32",
      converted_type: "DATE",
      logical_type: { type: "DATE" },
      repetition_type: "REQUIRED",
    },
    encoding: "RLE_DICTIONARY",
    statistics: true,
  },
  { element: instant("start_at"), encoding: "DELTA_BINARY_PACKED", statistics: true },
  { element: instant("end_at"), encoding: "DELTA_BINARY_PACKED", statistics: true },
  { element: { name: "value", type: "DOUBLE", repetition_type: "REQUIRED" } },
  { element: text("attributes", "OPTIONAL") },
  {
    element: {
      name: "sample_id",
      type: "FIXED_LEN_BYTE_ARRAY",
      type_length: 16,
      logical_type: { type: "UUID" },
      repetition_type: "REQUIRED",
    },
    encoding: "PLAIN",
    uncompressed: true,
  },
];

export const SCHEMA: SchemaElement[] = [
  { name: "root", num_children: COLUMNS.length },
  ...COLUMNS.map((column) => column.element),
];

/** Written into every file. Never a version: equal rows must give equal bytes. */
export const CREATED_BY = "health-sync";
/** One page a column chunk: at the 1 MiB default, pages of a month split the id column. */
export const PAGE_BYTES = 16 << 20;
export const ZSTD_LEVEL = 3;
