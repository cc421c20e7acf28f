import type { SchemaElement } from "hyparquet";
import type { Sample } from "../domain/sample.ts";
import type { StreamRow } from "../domain/sleep/streams.ts";

export type DayColumn = Exclude<keyof Sample, "received_at">;
export type SleepColumn = keyof StreamRow;

export type Column<Name extends string> = {
  element: SchemaElement & { name: Name };
  /** Absent: the writer takes a dictionary where it halves the bytes. */
  encoding?: "RLE_DICTIONARY" | "DELTA_BINARY_PACKED" | "PLAIN";
  statistics?: true;
  uncompressed?: true;
};

type Element<Name extends string> = Column<Name>["element"];

export const text = <Name extends string>(
  name: Name,
  repetition_type: "REQUIRED" | "OPTIONAL" = "REQUIRED",
): Element<Name> => ({
  name,
  type: "BYTE_ARRAY",
  converted_type: "UTF8",
  logical_type: { type: "STRING" },
  repetition_type,
});

export const instant = <Name extends string>(name: Name): Element<Name> => ({
  name,
  type: "INT64",
  converted_type: "TIMESTAMP_MILLIS",
  logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
  repetition_type: "REQUIRED",
});

export const uuid = <Name extends string>(name: Name): Element<Name> => ({
  name,
  type: "FIXED_LEN_BYTE_ARRAY",
  type_length: 16,
  logical_type: { type: "UUID" },
  repetition_type: "REQUIRED",
});

const VALUE = { name: "value", type: "DOUBLE", repetition_type: "REQUIRED" } as const;

/**
 * The columns of health_streams with their encodings, as measured in lake-layout.md. source to value are neighbours,
 * so that a series is one range; sample_id is last, because most readers skip its 16 incompressible bytes a row.
 */
export const DAY_COLUMNS: readonly Column<DayColumn>[] = [
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
  { element: VALUE },
  { element: text("attributes", "OPTIONAL") },
  { element: uuid("sample_id"), encoding: "PLAIN", uncompressed: true },
];

/** The columns of sleep_streams: the same settings, but that one id all over compresses to nothing. */
export const SLEEP_COLUMNS: readonly Column<SleepColumn>[] = [
  { element: uuid("session_id"), encoding: "PLAIN" },
  { element: text("channel"), encoding: "RLE_DICTIONARY", statistics: true },
  { element: instant("start_at"), encoding: "DELTA_BINARY_PACKED", statistics: true },
  { element: instant("end_at"), encoding: "DELTA_BINARY_PACKED", statistics: true },
  { element: VALUE },
  { element: text("source"), encoding: "RLE_DICTIONARY" },
];

/** Written into every file. Never a version: equal rows must give equal bytes. */
export const CREATED_BY = "health-sync";
/** One page a column chunk: at the 1 MiB default, pages of a month split the id column. */
export const PAGE_BYTES = 16 << 20;
export const ZSTD_LEVEL = 3;
