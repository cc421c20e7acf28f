import { csvLine } from "../domain/csv.ts";
import type { ParquetColumn, ParquetFormat } from "../flow/ports.ts";

export const FORMATS = ["json", "ndjson", "csv", "parquet"] as const;
export type Format = (typeof FORMATS)[number];

export const MEDIA: Readonly<Record<Format, string>> = {
  json: "application/json; charset=utf-8",
  ndjson: "application/x-ndjson",
  csv: "text/csv; charset=utf-8",
  parquet: "application/vnd.apache.parquet",
};

const mediaType = (format: Format): string => MEDIA[format].split(";")[0] ?? "";

/** The format that an Accept header likes best among ours; null where it names none of them. */
export const acceptedFormat = (accept: string | undefined): Format | null => {
  const wishes = (accept ?? "").split(",").flatMap((text) => {
    const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
    const format = FORMATS.find((one) => mediaType(one) === type);
    const weight = Number(parameters.find((one) => one.startsWith("q="))?.slice(2) ?? 1);
    return format !== undefined && weight > 0 ? [{ format, weight }] : [];
  });
  return wishes.toSorted((a, b) => b.weight - a.weight)[0]?.format ?? null;
};

/** A series in the making: what stands before its points (`head` is JSON's), the points piece by piece, and the end. */
export type SeriesWriter = {
  start(): Uint8Array;
  points(some: readonly (readonly unknown[])[]): Uint8Array;
  end(): Uint8Array;
};
type Series = { head: Readonly<Record<string, unknown>>; columns: readonly string[] };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const NOTHING = new Uint8Array(0);

/** The document that pages are, with every point in it. */
const jsonWriter = ({ head, columns }: Series): SeriesWriter => {
  let separator = "";
  return {
    start: () => utf8(`${JSON.stringify({ ...head, columns }).slice(0, -1)},"points":[`),
    points: (some) => {
      const text = some.map((point) => JSON.stringify(point)).join(",");
      const bytes = utf8(separator + text);
      separator = ",";
      return bytes;
    },
    end: () => utf8(`],"next":null}`),
  };
};

const ndjsonWriter = ({ columns }: Series): SeriesWriter => ({
  start: () => NOTHING,
  points: (some) => {
    const lines = some.map((point) => JSON.stringify(Object.fromEntries(columns.map((name, n) => [name, point[n]]))));
    return utf8(lines.map((line) => `${line}\n`).join(""));
  },
  end: () => NOTHING,
});

const csvWriter = ({ columns }: Series): SeriesWriter => ({
  start: () => utf8(csvLine(columns)),
  points: (some) => utf8(some.map(csvLine).join("")),
  end: () => NOTHING,
});

const TYPES: Readonly<Record<string, ParquetColumn["type"]>> = {
  date: "date",
  start_at: "instant",
  end_at: "instant",
  source: "text",
  sample_id: "uuid",
  count: "count",
};

/** Rows of a group: what is read at once by those who read the file. */
const GROUP = 10_000;

const parquetWriter = ({ columns }: Series, parquet: Pick<ParquetFormat, "openTable">): SeriesWriter => {
  const types = columns.map((name) => TYPES[name] ?? "double");
  const table = parquet.openTable(columns.map((name, n) => ({ name, type: types[n] ?? "double" })));
  const cells = (point: readonly unknown[]): unknown[] =>
    point.map((cell, n) => (types[n] === "instant" ? Date.parse(cell as string) : cell));
  let waiting: unknown[][] = [];
  const flush = (): Uint8Array => {
    const bytes = table.group(waiting);
    waiting = [];
    return bytes;
  };
  return {
    start: flush,
    points: (some) => {
      for (const point of some) waiting.push(cells(point));
      return waiting.length < GROUP ? NOTHING : flush();
    },
    end: () => Buffer.concat([flush(), table.end()]),
  };
};

export const seriesWriter = (
  format: Format,
  series: Series,
  parquet: Pick<ParquetFormat, "openTable">,
): SeriesWriter => {
  if (format === "parquet") return parquetWriter(series, parquet);
  return { json: jsonWriter, ndjson: ndjsonWriter, csv: csvWriter }[format](series);
};
