import { constants, zstdCompressSync } from "node:zlib";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { Sample } from "../domain/sample.ts";
import type { ParquetFormat } from "../flow/ports.ts";
import { canonicalJson, compareRows } from "../flow/rows-hash.ts";
import { decodeDay, decodeIds, decodeSeries } from "./parquet-read.ts";
import { COLUMNS, CREATED_BY, PAGE_BYTES, SCHEMA, ZSTD_LEVEL } from "./parquet-schema.ts";
import type { Column, ColumnName } from "./parquet-schema.ts";

const zstd = (input: Uint8Array): Uint8Array =>
  zstdCompressSync(input, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });

const idBytes = (id: string): Uint8Array => {
  const bytes = Buffer.from(id.replaceAll("-", ""), "hex");
  if (bytes.length !== 16) throw new RangeError(`not a uuid: ${id}`);
  return bytes;
};

/** The attributes column: received_at has no column of its own. Sorted keys, so that equal rows give equal bytes. */
const attributesText = (sample: Sample): string =>
  canonicalJson({ ...sample.attributes, received_at: sample.received_at });

/** Adding 0 turns −0 into 0: a dictionary does not tell them apart, and rows_hash must not either. */
const VALUES: Record<ColumnName, (rows: readonly Sample[]) => unknown[] | BigInt64Array | Float64Array | Int32Array> = {
  athlete_id: (rows) => rows.map((row) => row.athlete_id),
  metric: (rows) => rows.map((row) => row.metric),
  unit: (rows) => rows.map((row) => row.unit),
  source: (rows) => rows.map((row) => row.source),
  device: (rows) => rows.map((row) => row.device),
  tz: (rows) => rows.map((row) => row.tz),
  local_date: (rows) => Int32Array.from(rows, (row) => Date.parse(`${row.local_date}T00:00:00Z`) / 86_400_000),
  start_at: (rows) => BigInt64Array.from(rows, (row) => BigInt(row.start_at)),
  end_at: (rows) => BigInt64Array.from(rows, (row) => BigInt(row.end_at)),
  value: (rows) => Float64Array.from(rows, (row) => row.value + 0),
  attributes: (rows) => rows.map(attributesText),
  sample_id: (rows) => rows.map((row) => idBytes(row.sample_id)),
};

const assertWritable = (rows: readonly Sample[]): void => {
  if (rows.length === 0) throw new RangeError("a day object holds at least one row: delete the pointer instead");
  const ids = new Set(rows.map((row) => row.sample_id));
  if (ids.size !== rows.length) throw new RangeError("a sample_id stands twice in one day: merge copies first");
};

const columnSource = ({ element, encoding, statistics, uncompressed }: Column, rows: readonly Sample[]) => {
  const data = VALUES[element.name](rows);
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

const encodeDay = (samples: readonly Sample[]): Uint8Array => {
  assertWritable(samples);
  const rows = samples.toSorted(compareRows);
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    schema: SCHEMA,
    codec: "ZSTD",
    compressors: { ZSTD: zstd },
    statistics: false,
    createdBy: CREATED_BY,
  });
  const columnData = COLUMNS.map((column) => columnSource(column, rows));
  void parquet.write({ columnData, rowGroupSize: rows.length, pageSize: PAGE_BYTES });
  void parquet.finish();
  return writer.getBytes().slice();
};

/** ParquetFormat on hyparquet-writer and hyparquet. */
export const parquetFormat: ParquetFormat = { encodeDay, decodeDay, decodeSeries, decodeIds };
