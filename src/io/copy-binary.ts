import type { CopyType } from "../flow/ports.ts";
import { daysFromDate } from "./postgres-time.ts";

/**
 * The writing half of PostgreSQL's COPY binary format (documentation of COPY, "Binary Format"). Values have the shapes
 * of the Reader port. The encoder writes into one growing buffer, without an allocation a cell.
 */

export const COPY_SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
export const EPOCH_2000_MS = 946_684_800_000;
export const TWO_32 = 4_294_967_296;
const FLUSH_BYTES = 1 << 18;

type Sink = { buffer: Buffer; at: number };

const reserve = (sink: Sink, bytes: number): void => {
  if (sink.at + bytes <= sink.buffer.length) return;
  const grown = Buffer.allocUnsafeSlow(Math.max(sink.buffer.length * 2, sink.at + bytes));
  sink.buffer.copy(grown, 0, 0, sink.at);
  sink.buffer = grown;
};

const putInt32 = (sink: Sink, value: number): void => {
  reserve(sink, 4);
  sink.at = sink.buffer.writeInt32BE(value, sink.at);
};

/** high × 2^32 + low, where low may be out of its range and high negative. */
const putInt64 = (sink: Sink, high: number, low: number): void => {
  reserve(sink, 12);
  sink.at = sink.buffer.writeInt32BE(8, sink.at);
  const carry = Math.floor(low / TWO_32);
  sink.at = sink.buffer.writeInt32BE(high + carry, sink.at);
  sink.at = sink.buffer.writeUInt32BE(low - carry * TWO_32, sink.at);
};

/** Up to this length writing unit by unit is faster than a call into the runtime. */
const SHORT = 48;

/** Whether it was written: only texts of ASCII are. The caller reserved the space. */
const putAscii = (sink: Sink, text: string): boolean => {
  const { buffer, at } = sink;
  for (let n = 0; n < text.length; n += 1) {
    const unit = text.charCodeAt(n);
    if (unit > 0x7f) return false;
    buffer[at + 4 + n] = unit;
  }
  buffer.writeInt32BE(text.length, at);
  sink.at = at + 4 + text.length;
  return true;
};

const putText = (sink: Sink, text: string): void => {
  reserve(sink, 4 + text.length * 3);
  if (text.length <= SHORT && putAscii(sink, text)) return;
  const written = sink.buffer.write(text, sink.at + 4, "utf8");
  sink.buffer.writeInt32BE(written, sink.at);
  sink.at += 4 + written;
};

const putInstant = (sink: Sink, value: number): void => {
  if (value === Infinity) return putInt64(sink, 0x7fffffff, 0xffffffff);
  if (value === -Infinity) return putInt64(sink, -0x80000000, 0);
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole millisecond: ${value}`);
  // Microseconds exceed 2^53 in the year 2285, so the two halves are multiplied apart.
  const since = value - EPOCH_2000_MS;
  const high = Math.floor(since / TWO_32);
  putInt64(sink, high * 1000, (since - high * TWO_32) * 1000);
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Where the 16 bytes begin in the text. */
const UUID_PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/** Of a digit of either case: those of letters are 1 to 6 above a multiple of 16, those of numbers 0 to 9. */
const digitAt = (text: string, at: number): number => {
  const unit = text.charCodeAt(at);
  return unit > 0x39 ? (unit & 0xf) + 9 : unit & 0xf;
};

const putUuid = (sink: Sink, text: string): void => {
  if (!UUID.test(text)) throw new RangeError(`not a uuid: ${text}`);
  reserve(sink, 20);
  const { buffer } = sink;
  let at = buffer.writeInt32BE(16, sink.at);
  for (const place of UUID_PLACES) buffer[at++] = digitAt(text, place) * 16 + digitAt(text, place + 1);
  sink.at = at;
};

const wholeNumber = (value: unknown): number => {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${String(value)}`);
  return value as number;
};

const putInteger = (sink: Sink, value: unknown): void => {
  const whole = wholeNumber(value);
  const high = Math.floor(whole / TWO_32);
  putInt64(sink, high, whole - high * TWO_32);
};

const PUT: Record<CopyType, (sink: Sink, value: never) => void> = {
  text: putText,
  uuid: putUuid,
  timestamptz: putInstant,
  date: (sink, value: string) => {
    putInt32(sink, 4);
    putInt32(sink, daysFromDate(value));
  },
  float8: (sink, value: number) => {
    reserve(sink, 12);
    sink.at = sink.buffer.writeInt32BE(8, sink.at);
    sink.at = sink.buffer.writeDoubleBE(value, sink.at);
  },
  int8: putInteger,
  int4: (sink, value) => {
    putInt32(sink, 4);
    putInt32(sink, wholeNumber(value));
  },
  bool: (sink, value: boolean) => {
    reserve(sink, 5);
    sink.at = sink.buffer.writeInt32BE(1, sink.at);
    sink.at = sink.buffer.writeUInt8(value ? 1 : 0, sink.at);
  },
  jsonb: (sink, value: unknown) => {
    const text = JSON.stringify(value);
    reserve(sink, 5 + text.length * 3);
    const written = sink.buffer.write(text, sink.at + 5, "utf8");
    sink.buffer.writeInt32BE(written + 1, sink.at);
    sink.buffer.writeUInt8(1, sink.at + 4); // version of jsonb's wire format
    sink.at += 5 + written;
  },
  bytea: (sink, value: Uint8Array) => {
    putInt32(sink, value.length);
    reserve(sink, value.length);
    sink.buffer.set(value, sink.at);
    sink.at += value.length;
  },
};

/** The rows as COPY binary, in buffers of about 256 KiB. Null and undefined are SQL null. Errors name the column's place. */
export function* encodeCopy(types: readonly CopyType[], rows: Iterable<readonly unknown[]>): Generator<Buffer> {
  const sink: Sink = { buffer: Buffer.allocUnsafeSlow(FLUSH_BYTES + 4096), at: COPY_SIGNATURE.length };
  COPY_SIGNATURE.copy(sink.buffer);
  for (const row of rows) {
    reserve(sink, 2);
    sink.at = sink.buffer.writeInt16BE(types.length, sink.at);
    putRow(sink, types, row);
    if (sink.at < FLUSH_BYTES) continue;
    yield sink.buffer.subarray(0, sink.at);
    sink.buffer = Buffer.allocUnsafeSlow(FLUSH_BYTES + 4096);
    sink.at = 0;
  }
  reserve(sink, 2);
  sink.at = sink.buffer.writeInt16BE(-1, sink.at);
  yield sink.buffer.subarray(0, sink.at);
}

const putRow = (sink: Sink, types: readonly CopyType[], row: readonly unknown[]): void => {
  let index = 0;
  try {
    for (; index < types.length; index += 1) {
      const value = row[index];
      if (value === null || value === undefined) putInt32(sink, -1);
      else PUT[types[index] as CopyType](sink, value as never);
    }
  } catch (cause) {
    throw new RangeError(`COPY: the value of column ${index + 1} does not fit ${types[index]}`, { cause });
  }
};
