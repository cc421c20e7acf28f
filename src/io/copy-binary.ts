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

const putText = (sink: Sink, text: string): void => {
  reserve(sink, 4 + text.length * 3);
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

const putUuid = (sink: Sink, text: string): void => {
  if (!UUID.test(text)) throw new RangeError(`not a uuid: ${text}`);
  reserve(sink, 20);
  const { buffer } = sink;
  let at = buffer.writeInt32BE(16, sink.at);
  at += buffer.write(text.slice(0, 8), at, "hex");
  at += buffer.write(text.slice(9, 13), at, "hex");
  at += buffer.write(text.slice(14, 18), at, "hex");
  at += buffer.write(text.slice(19, 23), at, "hex");
  sink.at = at + buffer.write(text.slice(24), at, "hex");
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
    for (const [index, type] of types.entries()) {
      const value = row[index];
      if (value === null || value === undefined) putInt32(sink, -1);
      else putCell(sink, type, { value, index });
    }
    if (sink.at < FLUSH_BYTES) continue;
    yield sink.buffer.subarray(0, sink.at);
    sink.buffer = Buffer.allocUnsafeSlow(FLUSH_BYTES + 4096);
    sink.at = 0;
  }
  reserve(sink, 2);
  sink.at = sink.buffer.writeInt16BE(-1, sink.at);
  yield sink.buffer.subarray(0, sink.at);
}

const putCell = (sink: Sink, type: CopyType, cell: { value: unknown; index: number }): void => {
  try {
    PUT[type](sink, cell.value as never);
  } catch (cause) {
    throw new RangeError(`COPY: the value of column ${cell.index + 1} does not fit ${type}`, { cause });
  }
};
