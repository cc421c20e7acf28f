import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { parquetMetadata, parquetSchema } from "hyparquet";
import type { DecodedArray, FileMetaData, RowGroup, SchemaTree } from "hyparquet";
import { readColumn } from "hyparquet/src/column.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import type { Attributes, Sample } from "../domain/sample.ts";
import type { StreamChannel, StreamRow } from "../domain/sleep/streams.ts";
import type { ByteRange } from "../flow/ports.ts";
import { type DayColumn, type SleepColumn, ZSTD_LEVEL } from "./parquet-schema.ts";

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

/** A parsed footer, its leaf columns by name, and bytes of the file, which begin at `base` of it. */
type File = Footer & { bytes: Uint8Array; base: number };
type Footer = { metadata: FileMetaData; root: SchemaTree; leaves: Map<string, SchemaTree> };

/** Without their logical types, times stay a BigInt64Array: making Dates would cost more than all the rest. */
const withoutTimeTypes = (tree: SchemaTree): SchemaTree => {
  if (tree.element.logical_type?.type !== "TIMESTAMP") return tree;
  const { converted_type: _converted, logical_type: _logical, ...element } = tree.element;
  return { ...tree, element };
};

/** A copy that begins at 0: the reader takes offsets into the whole buffer. */
const alone = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);

const openFooter = (bytes: Uint8Array<ArrayBuffer>): Footer => {
  const metadata = parquetMetadata(bytes.buffer);
  const root = parquetSchema(metadata);
  const leaves = new Map(root.children.map((tree) => [tree.element.name, withoutTimeTypes(tree)]));
  return { metadata, root, leaves };
};

const openFile = (bytes: Uint8Array): File => {
  const whole = alone(bytes);
  return { ...openFooter(whole), bytes: whole, base: 0 };
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
  const view = new DataView(file.bytes.buffer, start - file.base, Number(column.total_compressed_size));
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

type RowRange = { group: RowGroup; from: number; to: number };

const rowsIn = (file: File, ranges: readonly RowRange[]): Sample[] => {
  const column = <T>(name: DayColumn): T[] =>
    ranges.flatMap(({ group, from, to }) => readRange(file, group, { name, from, to }) as T[]);
  const text = (name: DayColumn): string[] => column<string>(name);
  const [athletes, metrics, units, sources] = [text("athlete_id"), text("metric"), text("unit"), text("source")];
  const [zones, dates, ids] = [text("tz"), text("local_date"), text("sample_id")];
  const devices = column<string | null | undefined>("device");
  const attributes = column<string | null | undefined>("attributes").map(unfold);
  const [starts, ends] = [column<bigint>("start_at"), column<bigint>("end_at")];
  const values = column<number>("value");
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

/** Every row of a day or month object, in the file's order. */
export const decodeDay = (bytes: Uint8Array): Sample[] => {
  const file = openFile(bytes);
  return rowsIn(
    file,
    file.metadata.row_groups.map((group) => ({ group, from: 0, to: Number(group.num_rows) })),
  );
};

/** The rows of a metric are neighbours, because metric is the first sort key. */
const rangeOf = (file: File, group: RowGroup, metric: string): RowRange => {
  const metrics = readRange(file, group, { name: "metric", from: 0, to: Number(group.num_rows) });
  const from = metrics.indexOf(metric);
  return from < 0 ? { group, from: 0, to: 0 } : { group, from, to: metrics.lastIndexOf(metric) + 1 };
};

const rowsOf = (file: File, metric: string): Sample[] =>
  rowsIn(
    file,
    groupsOf(file, metric)
      .map((group) => rangeOf(file, group, metric))
      .filter(({ from, to }) => to > from),
  );

/** Row groups that can hold the metric, by the smallest and largest of its column. */
const groupsOf = ({ metadata }: Footer, metric: string): RowGroup[] =>
  metadata.row_groups.filter((group) => {
    const column = group.columns.find((each) => each.meta_data?.path_in_schema[0] === "metric")?.meta_data;
    const { min_value: min, max_value: max } = column?.statistics ?? {};
    return typeof min !== "string" || typeof max !== "string" || (min <= metric && metric <= max);
  });

/** The rows of one metric, in the file's order: other metrics' are not even decoded. */
export const decodeMetric = (bytes: Uint8Array, metric: string): Sample[] => rowsOf(openFile(bytes), metric);

const TAIL = 8;

/** The footer of a file, compressed: a pointer row carries it, so that a series of a month is one request. */
export const footerOf = (file: Uint8Array): Uint8Array => {
  const length = new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(file.length - TAIL, true);
  return zstdCompressSync(file.subarray(file.length - TAIL - length), {
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
  });
};

const MAX_FOOTER_BYTES = 16 << 20;
const readFooter = (footer: Uint8Array): Footer =>
  openFooter(alone(zstdDecompressSync(footer, { maxOutputLength: MAX_FOOTER_BYTES })));

const startOf = ({ meta_data: column }: RowGroup["columns"][number]): number =>
  Number(column?.dictionary_page_offset ?? column?.data_page_offset);

/** Where the metric's row groups lie in the file that this footer is of; null where it has none. */
export const metricRange = (footer: Uint8Array, metric: string): ByteRange | null => {
  const columns = groupsOf(readFooter(footer), metric).flatMap((group) => group.columns);
  if (columns.length === 0) return null;
  const ends = columns.map((column) => startOf(column) + Number(column.meta_data?.total_compressed_size));
  return { from: Math.min(...columns.map(startOf)), to: Math.max(...ends) };
};

/** The rows of one metric from the bytes of its `metricRange`, which begin at `from` of the file. */
export const decodeRange = (footer: Uint8Array, part: { bytes: Uint8Array; from: number }, metric: string): Sample[] =>
  rowsOf({ ...readFooter(footer), bytes: alone(part.bytes), base: part.from }, metric);

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
