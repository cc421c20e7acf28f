import { constants, zstdCompressSync } from "node:zlib";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { type Column, CREATED_BY, PAGE_BYTES, ZSTD_LEVEL } from "./parquet-schema.ts";

/** The values of a column. */
export type Data = unknown[] | Float64Array | Int32Array;

const zstd = (input: Uint8Array): Uint8Array =>
  zstdCompressSync(input, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });

const UUID_BYTES = 16;
const UUID_TEXT = 36;

/** Each id's bytes, all of them in one buffer. */
export const idBytes = (ids: readonly string[]): Uint8Array[] => {
  const bytes = Buffer.from(ids.join("").replaceAll("-", ""), "hex");
  const isWhole = bytes.length === ids.length * UUID_BYTES && ids.every((id) => id.length === UUID_TEXT);
  if (!isWhole) throw new RangeError("not every id of a column of uuids is one");
  return ids.map((_, at) => new Uint8Array(bytes.buffer, bytes.byteOffset + at * UUID_BYTES, UUID_BYTES));
};

/** Rows of a file mostly share their date. */
export const daysOf = (dates: readonly string[]): Int32Array => {
  const known = new Map([...new Set(dates)].map((date) => [date, Date.parse(`${date}T00:00:00Z`) / 86_400_000]));
  return Int32Array.from(dates, (date) => known.get(date) as number);
};

/** As numbers of the file's kind; an array of them is walked through several times, and a typed one makes each anew. */
export const instantsOf = (times: readonly number[]): bigint[] => times.map(BigInt);

const columnSource = ({ element, encoding, statistics, uncompressed }: Column<string>, data: Data) => {
  // A forced dictionary of a column with nothing in it would be an empty page.
  const empty = Array.isArray(data) && data.every((each) => each === null);
  return {
    name: element.name,
    data: data as unknown[],
    ...(encoding && !empty ? { encoding } : {}),
    ...(uncompressed ? { codec: "UNCOMPRESSED" as const } : {}),
    statistics: statistics ?? false,
    columnIndex: false,
    offsetIndex: false,
  };
};

/** A file in the making, row group by row group: one array a column, none of them empty. */
export const openWriter = (columns: readonly Column<string>[]) => {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    schema: [{ name: "root", num_children: columns.length }, ...columns.map((column) => column.element)],
    codec: "ZSTD",
    compressors: { ZSTD: zstd },
    statistics: false,
    createdBy: CREATED_BY,
  });
  /** The bytes since they were last taken. `offset` of the writer goes on counting those of the file. */
  const taken = (): Uint8Array => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  return {
    group(data: readonly Data[]): void {
      const columnData = columns.map((column, n) => columnSource(column, data[n] ?? []));
      void parquet.write({ columnData, rowGroupSize: data[0]?.length ?? 0, pageSize: PAGE_BYTES });
    },
    taken,
    end(): Uint8Array {
      void parquet.finish();
      return taken();
    },
  };
};
