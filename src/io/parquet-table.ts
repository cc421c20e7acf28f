import type { ParquetColumn, ParquetTable } from "../flow/ports.ts";
import { type Column, instant, text, uuid } from "./parquet-schema.ts";
import { type Data, daysOf, idBytes, instantsOf, openWriter } from "./parquet-write.ts";

type Kind = {
  column: (name: string) => Column<string>;
  /** The cells of a row group. */
  data: (cells: readonly unknown[]) => Data;
};

/** Encodings as lake-layout.md found them for the same kinds of columns. */
const KINDS: Readonly<Record<ParquetColumn["type"], Kind>> = {
  instant: {
    column: (name) => ({ element: instant(name), encoding: "DELTA_BINARY_PACKED", statistics: true }),
    data: (cells) => instantsOf(cells as number[]),
  },
  date: {
    column: (name) => ({
      element: {
        name,
        type: "INT32",
        converted_type: "DATE",
        logical_type: { type: "DATE" },
        repetition_type: "REQUIRED",
      },
      statistics: true,
    }),
    data: (cells) => daysOf(cells as string[]),
  },
  double: {
    column: (name) => ({ element: { name, type: "DOUBLE", repetition_type: "REQUIRED" } }),
    data: (cells) => Float64Array.from(cells as number[]),
  },
  count: {
    column: (name) => ({ element: { name, type: "INT32", repetition_type: "REQUIRED" } }),
    data: (cells) => Int32Array.from(cells as number[]),
  },
  text: {
    column: (name) => ({ element: text(name), encoding: "RLE_DICTIONARY" }),
    data: (cells) => [...cells],
  },
  uuid: {
    column: (name) => ({ element: uuid(name), encoding: "PLAIN", uncompressed: true }),
    data: (cells) => idBytes(cells as string[]),
  },
};

/** ParquetFormat's table of any columns, given away as it is written. */
export const openTable = (columns: readonly ParquetColumn[]): ParquetTable => {
  const writer = openWriter(columns.map(({ name, type }) => KINDS[type].column(name)));
  return {
    group(rows) {
      if (rows.length > 0) writer.group(columns.map(({ type }, n) => KINDS[type].data(rows.map((row) => row[n]))));
      return writer.taken();
    },
    end: () => writer.end(),
  };
};
