import type { CopyType } from "../flow/ports.ts";
import { COPY_SIGNATURE, EPOCH_2000_MS, TWO_32 } from "./copy-binary.ts";
import { dateFromDays } from "./postgres-time.ts";

const getInt64 = (bytes: Buffer, at: number): number => {
  const value = bytes.readInt32BE(at) * TWO_32 + bytes.readUInt32BE(at + 4);
  if (!Number.isSafeInteger(value)) throw new RangeError("COPY: an int8 does not fit a number exactly");
  return value;
};

const getInstant = (bytes: Buffer, at: number): number => {
  const high = bytes.readInt32BE(at);
  const low = bytes.readUInt32BE(at + 4);
  if (high === 0x7fffffff && low === 0xffffffff) return Infinity;
  if (high === -0x80000000 && low === 0) return -Infinity;
  const thousands = Math.floor(high / 1000);
  return thousands * TWO_32 + Math.floor(((high - thousands * 1000) * TWO_32 + low) / 1000) + EPOCH_2000_MS;
};

const getUuid = (bytes: Buffer, at: number): string => {
  const hex = bytes.toString("hex", at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

type Get = (bytes: Buffer, at: number, end: number) => unknown;

/** Rows that follow each other mostly hold the same names and dates: then it is the same string, made once. */
const repeatedText = (): Get => {
  let last: Buffer = Buffer.alloc(0);
  let text = "";
  return (bytes, at, end) => {
    if (last.length !== end - at || last.compare(bytes, at, end) !== 0) {
      last = Buffer.from(bytes.subarray(at, end));
      text = last.toString("utf8");
    }
    return text;
  };
};

const repeatedDate = (): Get => {
  let last = Number.NaN;
  let date = "";
  return (bytes, at) => {
    const days = bytes.readInt32BE(at);
    if (days !== last) {
      last = days;
      date = dateFromDays(days);
    }
    return date;
  };
};

/** A reader for each column: some remember what they read last. */
const GET: Record<CopyType, () => Get> = {
  text: repeatedText,
  uuid: () => getUuid,
  timestamptz: () => getInstant,
  date: repeatedDate,
  float8: () => (bytes, at) => bytes.readDoubleBE(at),
  int8: () => getInt64,
  int4: () => (bytes, at) => bytes.readInt32BE(at),
  bool: () => (bytes, at) => bytes[at] === 1,
  jsonb: () => (bytes, at, end) => JSON.parse(bytes.toString("utf8", at + 1, end)) as unknown,
  bytea: () => (bytes, at, end) => Buffer.from(bytes.subarray(at, end)),
};

/** Types of one width: a wrong entry in `types` is found rather than read as another number. */
const WIDTH: Partial<Record<CopyType, number>> = {
  uuid: 16,
  timestamptz: 8,
  date: 4,
  float8: 8,
  int8: 8,
  int4: 4,
  bool: 1,
};

/** The end of the row of `fields` fields that starts at `from`, or -1 while it is incomplete. */
const rowEnd = (bytes: Buffer, from: number, fields: number): number => {
  let at = from + 2;
  for (let i = 0; i < fields; i++) {
    if (at + 4 > bytes.length) return -1;
    at += 4 + Math.max(bytes.readInt32BE(at), 0);
  }
  return at <= bytes.length ? at : -1;
};

type Field = { type: CopyType; width: number | undefined; get: Get };

const fieldsOf = (types: readonly CopyType[]): Field[] =>
  types.map((type) => ({ type, width: WIDTH[type], get: GET[type]() }));

const readRow = (bytes: Buffer, from: number, fields: readonly Field[]): unknown[] => {
  let at = from + 2;
  return fields.map(({ type, width, get }) => {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    if (length !== (width ?? length)) throw new Error(`COPY: a field of ${length} bytes is not ${type}`);
    at += length;
    return get(bytes, at - length, at);
  });
};

/** Where the rows begin, or -1 while the header is incomplete. */
const headerEnd = (bytes: Buffer): number => {
  if (bytes.length < COPY_SIGNATURE.length) return -1;
  if (!bytes.subarray(0, 11).equals(COPY_SIGNATURE.subarray(0, 11))) throw new Error("COPY: not the binary format");
  const end = COPY_SIGNATURE.length + bytes.readInt32BE(15);
  return end <= bytes.length ? end : -1;
};

/** Decodes a COPY binary stream chunk by chunk, whatever the chunks' boundaries. */
export const copyDecoder = (types: readonly CopyType[]) => {
  const columns = fieldsOf(types);
  let rest: Buffer = Buffer.alloc(0);
  let started = false;
  let ended = false;
  const rows: unknown[][] = [];

  const push = (chunk: Buffer): void => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = started ? 0 : headerEnd(rest);
    if (at < 0) return;
    started = true;
    while (!ended && at + 2 <= rest.length) {
      const fields = rest.readInt16BE(at);
      ended = fields === -1;
      if (ended) break;
      if (fields !== types.length) throw new Error(`COPY: ${fields} columns where ${types.length} types were given`);
      const end = rowEnd(rest, at, fields);
      if (end < 0) break;
      rows.push(readRow(rest, at, columns));
      at = end;
    }
    rest = rest.subarray(at);
  };

  return {
    push,
    /** All rows, once the stream has ended. Throws when it was cut short. */
    finish(): unknown[][] {
      if (!ended) throw new Error("COPY: the stream ended before its trailer");
      return rows;
    },
  };
};
