import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { parquetMetadata, parquetSchema } from "hyparquet";
import type { DecodedArray, FileMetaData, RowGroup, SchemaTree } from "hyparquet";
import { readColumn } from "hyparquet/src/column.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { type DayColumn, type SleepColumn, ZSTD_LEVEL } from "./parquet-schema.ts";

/** Bounds what a damaged or hostile page can make us allocate. */
const MAX_PAGE_BYTES = 256 << 20;
const MAX_FOOTER_BYTES = 16 << 20;

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
export type File = Footer & { bytes: Uint8Array; base: number };
type Footer = { metadata: FileMetaData; root: SchemaTree; leaves: Map<string, SchemaTree> };
type ColumnName = DayColumn | SleepColumn;

/** Without their logical types, times stay a BigInt64Array: making Dates would cost more than all the rest. */
const withoutTimeTypes = (tree: SchemaTree): SchemaTree =>
  tree.element.logical_type?.type === "TIMESTAMP" ? asStored(tree) : tree;

const asStored = (tree: SchemaTree): SchemaTree => {
  const { converted_type: _converted, logical_type: _logical, ...element } = tree.element;
  return { ...tree, element };
};

/** A copy that begins at 0: the reader of footers takes offsets into the whole buffer. */
const alone = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);

const openFooter = (bytes: Uint8Array<ArrayBuffer>): Footer => {
  const metadata = parquetMetadata(bytes.buffer);
  const root = parquetSchema(metadata);
  const leaves = new Map(root.children.map((tree) => [tree.element.name, withoutTimeTypes(tree)]));
  return { metadata, root, leaves };
};

const TAIL = 8;

const footerStart = (file: Uint8Array): number =>
  file.length - TAIL - new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(file.length - TAIL, true);

export const openFile = (bytes: Uint8Array): File => ({
  ...openFooter(alone(bytes.subarray(Math.max(0, footerStart(bytes))))),
  bytes,
  base: 0,
});

/** The footer of a file, compressed: a pointer row carries it, so that a series of a month is one request. */
export const footerOf = (file: Uint8Array): Uint8Array =>
  zstdCompressSync(file.subarray(footerStart(file)), { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });

export const readFooter = (footer: Uint8Array): Footer =>
  openFooter(alone(zstdDecompressSync(footer, { maxOutputLength: MAX_FOOTER_BYTES })));

const chunkOf = (group: RowGroup, name: ColumnName) => {
  const column = group.columns.find((each) => each.meta_data?.path_in_schema[0] === name)?.meta_data;
  if (!column) throw new Error(`the Parquet file has no column ${name}`);
  return column;
};

/** Where a group's columns lie in the file, from the first of these names to the last. */
export const bytesOf = (group: RowGroup, first: ColumnName, last: ColumnName): { from: number; to: number } => {
  const start = (name: ColumnName): number => {
    const { dictionary_page_offset, data_page_offset } = chunkOf(group, name);
    return Number(dictionary_page_offset ?? data_page_offset);
  };
  return { from: start(first), to: start(last) + Number(chunkOf(group, last).total_compressed_size) };
};

/** Row groups that can hold the metric, by the smallest and largest of its column. */
export const groupsOf = ({ metadata }: Footer, metric: string): RowGroup[] =>
  metadata.row_groups.filter((group) => {
    const { min_value: min, max_value: max } = chunkOf(group, "metric").statistics ?? {};
    return typeof min !== "string" || typeof max !== "string" || (min <= metric && metric <= max);
  });

export type RowRange = { group: RowGroup; from: number; to: number };

/** One column's rows [from, to) of a group, as an array of whatever kind they are stored in. `stored`: dates as days. */
export const readChunk = (
  file: File,
  { group, from, to }: RowRange,
  name: ColumnName,
  stored = false,
): DecodedArray => {
  const leaf = file.leaves.get(name);
  if (!leaf) throw new Error(`the Parquet file has no column ${name}`);
  const column = chunkOf(group, name);
  const place = bytesOf(group, name, name);
  const at = file.bytes.byteOffset + place.from - file.base;
  const view = new DataView(file.bytes.buffer, at, place.to - place.from);
  const { data, skipped } = readColumn(
    { view, offset: 0 },
    { groupStart: 0, groupRows: Number(group.num_rows), selectStart: from, selectEnd: to },
    {
      ...column,
      pathInSchema: column.path_in_schema,
      element: (stored ? asStored(leaf) : leaf).element,
      schemaPath: [file.root, leaf],
      parsers: PARSERS,
      compressors: { ZSTD: (input) => zstdDecompressSync(input, { maxOutputLength: MAX_PAGE_BYTES }) },
    },
  );
  const rows = data.length === 1 ? (data[0] as DecodedArray) : data.flatMap((chunk) => Array.from(chunk as unknown[]));
  const [start, end] = [from - skipped, to - skipped];
  return start === 0 && end === rows.length ? rows : (rows as unknown[]).slice(start, end);
};

/** The rows of a metric are neighbours, because metric is the first sort key. */
const rangeOf = (file: File, group: RowGroup, metric: string): RowRange => {
  const all = { group, from: 0, to: Number(group.num_rows) };
  const { min_value: min, max_value: max } = chunkOf(group, "metric").statistics ?? {};
  if (min === metric && max === metric) return all;
  const metrics = readChunk(file, all, "metric") as string[];
  const from = metrics.indexOf(metric);
  return from < 0 ? { group, from: 0, to: 0 } : { group, from, to: metrics.lastIndexOf(metric) + 1 };
};

/** Where the rows of a metric stand. */
export const rangesOf = (file: File, metric: string): RowRange[] =>
  groupsOf(file, metric)
    .map((group) => rangeOf(file, group, metric))
    .filter(({ from, to }) => to > from);

export const wholeOf = (file: File): RowRange[] =>
  file.metadata.row_groups.map((group) => ({ group, from: 0, to: Number(group.num_rows) }));
