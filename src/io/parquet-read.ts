import type { Attributes, Sample } from "../domain/sample.ts";
import type { StreamChannel, StreamRow } from "../domain/sleep/streams.ts";
import type { ByteRange, SeriesColumns, SeriesPart } from "../flow/ports.ts";
import { bytesOf, type File, groupsOf, openFile, rangesOf, readChunk, readFooter } from "./parquet-file.ts";
import { type RowRange, wholeOf } from "./parquet-file.ts";
import type { DayColumn, SleepColumn } from "./parquet-schema.ts";

const readRows = <T>(file: File, ranges: readonly RowRange[], name: DayColumn | SleepColumn): T[] =>
  ranges.flatMap((range) => Array.prototype.slice.call(readChunk(file, range, name)) as T[]);

const unfold = (text: string | null | undefined): { attributes: Attributes; received_at: number } => {
  const { received_at, ...attributes } = JSON.parse(text ?? "{}") as Attributes & { received_at?: number };
  if (received_at === undefined) throw new Error("a row's attributes lack received_at");
  return { attributes, received_at };
};

const rowsIn = (file: File, ranges: readonly RowRange[]): Sample[] => {
  const column = <T>(name: DayColumn): T[] => readRows<T>(file, ranges, name);
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
  return rowsIn(file, wholeOf(file));
};

const rowsOf = (file: File, metric: string): Sample[] => rowsIn(file, rangesOf(file, metric));

/** The rows of one metric, in the file's order: other metrics' are not even decoded. */
export const decodeMetric = (bytes: Uint8Array, metric: string): Sample[] => rowsOf(openFile(bytes), metric);

const spanned = (footer: Uint8Array, metric: string, first: DayColumn, last: DayColumn): ByteRange | null => {
  const parts = groupsOf(readFooter(footer), metric).map((group) => bytesOf(group, first, last));
  if (parts.length === 0) return null;
  return { from: Math.min(...parts.map(({ from }) => from)), to: Math.max(...parts.map(({ to }) => to)) };
};

/** Where the metric's row groups lie in the file that this footer is of; null where it has none. */
export const metricRange = (footer: Uint8Array, metric: string): ByteRange | null =>
  spanned(footer, metric, "athlete_id", "sample_id");

/** The rows of one metric from the bytes of its `metricRange`, which begin at `from` of the file. */
export const decodeRange = (footer: Uint8Array, part: { bytes: Uint8Array; from: number }, metric: string): Sample[] =>
  rowsOf({ ...readFooter(footer), bytes: part.bytes, base: part.from }, metric);

/** Where the columns lie that `decodeSeries` reads: they are neighbours, so that ids and attributes stay where they are. */
export const seriesRange = (footer: Uint8Array, metric: string): ByteRange | null =>
  spanned(footer, metric, "metric", "value");

const joined = (parts: readonly ArrayLike<number>[]): ArrayLike<number> =>
  parts.length === 1 ? (parts[0] as ArrayLike<number>) : parts.flatMap((part) => Array.from(part));

/** Instants are whole milliseconds, which a double holds: without a BigInt for each. Little-endian, as the file is. */
const asNumbers = (times: ArrayLike<unknown>): ArrayLike<number> => {
  if (!(times instanceof BigInt64Array)) return Array.from(times as ArrayLike<bigint>, Number);
  const halves = new Int32Array(times.buffer, times.byteOffset, times.length * 2);
  return Float64Array.from({ length: times.length }, (_, n) => {
    const low = halves[2 * n] as number;
    return (halves[2 * n + 1] as number) * 2 ** 32 + (low >>> 0);
  });
};

/** A metric's values and where they stand, from columns alone. */
export const decodeSeries = (part: SeriesPart, metric: string, by: "local_date" | "start_at"): SeriesColumns => {
  const { footer, bytes, from } = part;
  const file = footer === null ? openFile(bytes) : { ...readFooter(footer), bytes, base: from };
  const ranges = rangesOf(file, metric);
  const places = ranges.map((range) => readChunk(file, range, by, true));
  return {
    at: joined(places.map((some) => (by === "start_at" ? asNumbers(some) : (some as ArrayLike<number>)))),
    values: joined(ranges.map((range) => readChunk(file, range, "value") as ArrayLike<number>)),
  };
};

/** All sample ids of an object: what the search for a deleted id reads. */
export const decodeIds = (bytes: Uint8Array): string[] => {
  const file = openFile(bytes);
  return readRows<string>(file, wholeOf(file), "sample_id");
};

/** Every row of a sleep_streams object, in the file's order. */
export const decodeSleep = (bytes: Uint8Array): StreamRow[] => {
  const file = openFile(bytes);
  const all = wholeOf(file);
  const column = <T>(name: SleepColumn): T[] => readRows<T>(file, all, name);
  const [ids, sources] = [column<string>("session_id"), column<string>("source")];
  const channels = column<StreamChannel>("channel");
  const [starts, ends] = [column<bigint>("start_at"), column<bigint>("end_at")];
  const values = column<number>("value");
  return channels.map((channel, i) => ({
    session_id: ids[i] ?? "",
    channel,
    start_at: Number(starts[i]),
    end_at: Number(ends[i]),
    value: values[i] ?? Number.NaN,
    source: sources[i] ?? "",
  }));
};
