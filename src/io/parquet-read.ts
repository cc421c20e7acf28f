import { zstdDecompressSync } from "node:zlib";
import { parquetMetadata, parquetSchema } from "hyparquet";
import type { DecodedArray, FileMetaData, RowGroup, SchemaTree } from "hyparquet";
import { readColumn } from "hyparquet/src/column.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import type { Attributes, Sample } from "../domain/sample.ts";
import type { StreamChannel, StreamRow } from "../domain/sleep/streams.ts";
import type { Series } from "../flow/ports.ts";
import type { DayColumn, SleepColumn } from "./parquet-schema.ts";

/** Bounds what a damaged or hostile page can make us allocate. */
const MAX_PAGE_BYTES = 256 << 20;

const DAY_MS = 86_400_000;
const PARSERS = {
  ...DEFAULT_PARSERS,
  dateFromDays: (days: number) => new Date(days * DAY_MS).toISOString().slice(0, 10),
  uuidFromBytes: (bytes: Uint8Array) => {
    const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  },
};

/** A parsed footer, its leaf columns by name, and the bytes they lie in. */
type File = { bytes: Uint8Array; metadata: FileMetaData; root: SchemaTree; leaves: Map<string, SchemaTree> };

/** Without their logical types, times stay a BigInt64Array: making Dates would cost more than all the rest. */
const withoutTimeTypes = (tree: SchemaTree): SchemaTree => {
  if (tree.element.logical_type?.type !== "TIMESTAMP") return tree;
  const { converted_type: _converted, logical_type: _logical, ...element } = tree.element;
  return { ...tree, element };
};

const openFile = (bytes: Uint8Array): File => {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const metadata = parquetMetadata(buffer);
  const root = parquetSchema(metadata);
  const leaves = new Map(root.children.map((tree) => [tree.element.name, withoutTimeTypes(tree)]));
  return { bytes: new Uint8Array(buffer), metadata, root, leaves };
};

/** Rows [from, to) of one column in one row group. */
const readRange = (
  file: File,
  group: RowGroup,
  range: { name: DayColumn | SleepColumn; from: number; to: number },
): unknown[] => {
  const { name, from, to } = range;
  const leaf = file.leaves.get(name);
  const column = group.columns.find((each) => each.meta_data?.path_in_schema[0] === name)?.meta_data;
  if (!leaf || !column) throw new Error(`the Parquet file has no column ${name}`);
  const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
  const view = new DataView(file.bytes.buffer, start, Number(column.total_compressed_size));
  const { data, skipped } = readColumn(
    { view, offset: 0 },
    { groupStart: 0, groupRows: Number(group.num_rows), selectStart: from, selectEnd: to },
    {
      ...column,
      pathInSchema: column.path_in_schema,
      element: leaf.element,
      schemaPath: [file.root, leaf],
      parsers: PARSERS,
      compressors: { ZSTD: (input) => zstdDecompressSync(input, { maxOutputLength: MAX_PAGE_BYTES }) },
    },
  );
  const rows = data.length === 1 ? (data[0] as DecodedArray) : data.flatMap((chunk) => Array.from(chunk as unknown[]));
  return Array.prototype.slice.call(rows, from - skipped, to - skipped) as unknown[];
};

const readAll = <T>(file: File, name: DayColumn | SleepColumn): T[] =>
  file.metadata.row_groups.flatMap(
    (group) => readRange(file, group, { name, from: 0, to: Number(group.num_rows) }) as T[],
  );

const unfold = (text: string | null | undefined): { attributes: Attributes; received_at: number } => {
  const { received_at, ...attributes } = JSON.parse(text ?? "{}") as Attributes & { received_at?: number };
  if (received_at === undefined) throw new Error("a row's attributes lack received_at");
  return { attributes, received_at };
};

/** Every row of a day or month object, in the file's order. */
export const decodeDay = (bytes: Uint8Array): Sample[] => {
  const file = openFile(bytes);
  const text = (name: DayColumn): string[] => readAll<string>(file, name);
  const [athletes, metrics, units, sources] = [text("athlete_id"), text("metric"), text("unit"), text("source")];
  const [zones, dates, ids] = [text("tz"), text("local_date"), text("sample_id")];
  const devices = readAll<string | null | undefined>(file, "device");
  const attributes = readAll<string | null | undefined>(file, "attributes").map(unfold);
  const [starts, ends] = [readAll<bigint>(file, "start_at"), readAll<bigint>(file, "end_at")];
  const values = readAll<number>(file, "value");
  return ids.map((sample_id, i) => ({
    athlete_id: athletes[i] ?? "",
    sample_id,
    metric: metrics[i] ?? "",
    start_at: Number(starts[i]),
    end_at: Number(ends[i]),
    value: values[i] ?? Number.NaN,
    unit: units[i] ?? "",
    source: sources[i] ?? "",
    device: devices[i] ?? null,
    tz: zones[i] ?? "",
    local_date: dates[i] ?? "",
    attributes: attributes[i]?.attributes ?? {},
    received_at: attributes[i]?.received_at ?? Number.NaN,
  }));
};

/** The rows of a metric are neighbours, because metric is the first sort key. */
const rangeOf = (file: File, group: RowGroup, metric: string): { from: number; to: number } => {
  const metrics = readRange(file, group, { name: "metric", from: 0, to: Number(group.num_rows) });
  const from = metrics.indexOf(metric);
  return from < 0 ? { from: 0, to: 0 } : { from, to: metrics.lastIndexOf(metric) + 1 };
};

/** One metric's columns, without the attributes and other metrics' rows. */
export const decodeSeries = (bytes: Uint8Array, metric: string): Series => {
  const file = openFile(bytes);
  const ranges = file.metadata.row_groups
    .map((group) => ({ group, ...rangeOf(file, group, metric) }))
    .filter(({ from, to }) => to > from);
  const column = <T>(name: DayColumn): T[] =>
    ranges.flatMap(({ group, from, to }) => readRange(file, group, { name, from, to }) as T[]);
  return {
    sample_id: column<string>("sample_id"),
    start_at: Float64Array.from(column<bigint>("start_at"), Number),
    end_at: Float64Array.from(column<bigint>("end_at"), Number),
    value: Float64Array.from(column<number>("value")),
    source: column<string>("source"),
    device: column<string | null | undefined>("device").map((each) => each ?? null),
    unit: column<string>("unit"),
  };
};

/** All sample ids of an object: what the search for a deleted id reads. */
export const decodeIds = (bytes: Uint8Array): string[] => readAll<string>(openFile(bytes), "sample_id");

/** Every row of a sleep_streams object, in the file's order. */
export const decodeSleep = (bytes: Uint8Array): StreamRow[] => {
  const file = openFile(bytes);
  const [ids, sources] = [readAll<string>(file, "session_id"), readAll<string>(file, "source")];
  const channels = readAll<StreamChannel>(file, "channel");
  const [starts, ends] = [readAll<bigint>(file, "start_at"), readAll<bigint>(file, "end_at")];
  const values = readAll<number>(file, "value");
  return channels.map((channel, i) => ({
    session_id: ids[i] ?? "",
    channel,
    start_at: Number(starts[i]),
    end_at: Number(ends[i]),
    value: values[i] ?? Number.NaN,
    source: sources[i] ?? "",
  }));
};
