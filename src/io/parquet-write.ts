import { constants, zstdCompressSync } from "node:zlib";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { type Column, CREATED_BY, PAGE_BYTES, ZSTD_LEVEL } from "./parquet-schema.ts";

/** The values of a column. */
export type Data = unknown[] | BigInt64Array | Float64Array | Int32Array;

const zstd = (input: Uint8Array): Uint8Array =>
  zstdCompressSync(input, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });

export const idBytes = (id: string): Uint8Array => {
  const bytes = Buffer.from(id.replaceAll("-", ""), "hex");
  if (bytes.length !== 16) throw new RangeError(`not a uuid: ${id}`);
  return bytes;
};

export const daysOf = (dates: readonly string[]): Int32Array =>
  Int32Array.from(dates, (date) => Date.parse(`${date}T00:00:00Z`) / 86_400_000);

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
