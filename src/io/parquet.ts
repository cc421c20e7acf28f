import type { Sample } from "../domain/sample.ts";
import type { StreamRow } from "../domain/sleep/streams.ts";
import type { ParquetFormat } from "../flow/ports.ts";
import { compareRows } from "../domain/merge.ts";
import { attributesText } from "../domain/row-text.ts";
import { compareStreamRows } from "../flow/rows-hash.ts";
import { footerOf } from "./parquet-file.ts";
import * as read from "./parquet-read.ts";
import { DAY_COLUMNS, SLEEP_COLUMNS } from "./parquet-schema.ts";
import type { Column, DayColumn, SleepColumn } from "./parquet-schema.ts";
import { openTable } from "./parquet-table.ts";
import { type Data, daysOf, idBytes, instantsOf, openWriter } from "./parquet-write.ts";

type Values<Name extends string, Row> = Record<Name, (rows: readonly Row[]) => Data>;
type Timed = { start_at: number; end_at: number; value: number; source: string };

/** Adding 0 turns −0 into 0: a dictionary does not tell them apart, and rows_hash must not either. */
const TIMED: Values<keyof Timed, Timed> = {
  start_at: (rows) => instantsOf(rows.map((row) => row.start_at)),
  end_at: (rows) => instantsOf(rows.map((row) => row.end_at)),
  value: (rows) => Float64Array.from(rows, (row) => row.value + 0),
  source: (rows) => rows.map((row) => row.source),
};

const DAY_VALUES: Values<DayColumn, Sample> = {
  ...TIMED,
  athlete_id: (rows) => rows.map((row) => row.athlete_id),
  metric: (rows) => rows.map((row) => row.metric),
  unit: (rows) => rows.map((row) => row.unit),
  device: (rows) => rows.map((row) => row.device),
  tz: (rows) => rows.map((row) => row.tz),
  local_date: (rows) => daysOf(rows.map((row) => row.local_date)),
  /** received_at has no column of its own. Sorted keys, so that equal rows give equal bytes. */
  attributes: (rows) => rows.map((row) => attributesText(row.attributes, row.received_at)),
  sample_id: (rows) => idBytes(rows.map((row) => row.sample_id)),
};

const SLEEP_VALUES: Values<SleepColumn, StreamRow> = {
  ...TIMED,
  session_id: (rows) => idBytes(rows.map((row) => row.session_id)),
  channel: (rows) => rows.map((row) => row.channel),
};

const assertWritable = (rows: readonly Sample[]): void => {
  if (rows.length === 0) throw new RangeError("an object holds at least one row: delete the pointer instead");
  const ids = new Set(rows.map((row) => row.sample_id));
  if (ids.size !== rows.length) throw new RangeError("a sample_id stands twice in one object: merge copies first");
};

/** Rows in their order, each of `groups` a row group. */
const encode = <Name extends string, Row>(
  columns: readonly Column<Name>[],
  values: Values<Name, Row>,
  groups: readonly (readonly Row[])[],
): Uint8Array => {
  const writer = openWriter(columns);
  for (const rows of groups) writer.group(columns.map((column) => values[column.element.name](rows)));
  return writer.end();
};

const encodeDay = (samples: readonly Sample[]): Uint8Array => {
  assertWritable(samples);
  return encode(DAY_COLUMNS, DAY_VALUES, [samples.toSorted(compareRows)]);
};

/** A metric of so many rows has a row group of its own (lake-layout.md): a year of one is read without the others. */
const LARGE = 1000;

/** Smaller metrics share a group with their neighbours in the order of the file. */
const monthGroups = (rows: readonly Sample[]): Sample[][] => {
  const groups: Sample[][] = [];
  let open: Sample[] | null = null;
  for (const [, own] of Map.groupBy(rows, (row) => row.metric)) {
    if (own.length >= LARGE) {
      groups.push(own);
      open = null;
    } else if (open === null) {
      open = [...own];
      groups.push(open);
    } else for (const row of own) open.push(row);
  }
  return groups;
};

const encodeMonth = (samples: readonly Sample[]): { body: Uint8Array; footer: Uint8Array } => {
  assertWritable(samples);
  const body = encode(DAY_COLUMNS, DAY_VALUES, monthGroups(samples.toSorted(compareRows)));
  return { body, footer: footerOf(body) };
};

const encodeSleep = (rows: readonly StreamRow[]): Uint8Array => {
  if (rows.length === 0) throw new RangeError("a sleep stream holds at least one row: delete the pointer instead");
  return encode(SLEEP_COLUMNS, SLEEP_VALUES, [rows.toSorted(compareStreamRows)]);
};

/** ParquetFormat on hyparquet-writer and hyparquet. */
export const parquetFormat: ParquetFormat = {
  ...read,
  encodeDay,
  encodeMonth,
  encodeSleep,
  openTable,
};
