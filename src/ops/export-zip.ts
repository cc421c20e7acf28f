import { crc32 } from "node:zlib";
import type { Piece } from "./export.ts";

type Entry = { path: Buffer; crc: number; size: number; offset: number };

/** Sizes follow the data (bit 3), names are UTF-8 (bit 11), nothing is compressed: Parquet already is. */
const FLAGS = 0x0808;
/** 1980-01-01, the first day that zip knows: equal data gives equal bytes. */
const DATE = 0x21;
/** Without zip64 neither a file nor the archive may be larger. */
const MOST = 0xffff_ffff;

const record = (length: number, fill: (bytes: Buffer) => void): Buffer => {
  const bytes = Buffer.alloc(length);
  fill(bytes);
  return bytes;
};

const localHeader = (path: Buffer): Buffer =>
  Buffer.concat([
    record(30, (b) => {
      b.writeUInt32LE(0x04034b50, 0);
      b.writeUInt16LE(20, 4);
      b.writeUInt16LE(FLAGS, 6);
      b.writeUInt16LE(DATE, 12);
      b.writeUInt16LE(path.length, 26);
    }),
    path,
  ]);

const descriptor = ({ crc, size }: Entry): Buffer =>
  record(16, (b) => {
    b.writeUInt32LE(0x08074b50, 0);
    b.writeUInt32LE(crc, 4);
    b.writeUInt32LE(size, 8);
    b.writeUInt32LE(size, 12);
  });

const centralHeader = ({ path, crc, size, offset }: Entry): Buffer =>
  Buffer.concat([
    record(46, (b) => {
      b.writeUInt32LE(0x02014b50, 0);
      b.writeUInt16LE(20, 4);
      b.writeUInt16LE(20, 6);
      b.writeUInt16LE(FLAGS, 8);
      b.writeUInt16LE(DATE, 14);
      b.writeUInt32LE(crc, 16);
      b.writeUInt32LE(size, 20);
      b.writeUInt32LE(size, 24);
      b.writeUInt16LE(path.length, 28);
      b.writeUInt32LE(offset, 42);
    }),
    path,
  ]);

const endRecord = (entries: number, size: number, offset: number): Buffer =>
  record(22, (b) => {
    b.writeUInt32LE(0x06054b50, 0);
    b.writeUInt16LE(entries, 8);
    b.writeUInt16LE(entries, 10);
    b.writeUInt32LE(size, 12);
    b.writeUInt32LE(offset, 16);
  });

/** The archive's end: without it, as after a broken connection, no reader takes it for whole. */
const ending = (entries: readonly Entry[], at: number): Buffer => {
  if (at > MOST || entries.length > 0xffff) {
    throw new RangeError("the export is too large for one archive: take it with `health-sync export --out DIR`");
  }
  const central = Buffer.concat(entries.map(centralHeader));
  return Buffer.concat([central, endRecord(entries.length, central.length, at)]);
};

/** The files as one zip archive, written as they come: memory holds a piece and the list of files. */
export async function* zipOf(pieces: AsyncIterable<Piece>): AsyncGenerator<Uint8Array> {
  const entries: Entry[] = [];
  let at = 0;
  let name = "";
  const passed = (bytes: Uint8Array): Uint8Array => {
    at += bytes.length;
    return bytes;
  };
  for await (const { path, bytes } of pieces) {
    if (path !== name) {
      const before = entries.at(-1);
      if (before) yield passed(descriptor(before));
      const entry = { path: Buffer.from(path), crc: 0, size: 0, offset: at };
      entries.push(entry);
      name = path;
      yield passed(localHeader(entry.path));
    }
    const entry = entries.at(-1) as Entry;
    entry.crc = crc32(bytes, entry.crc);
    entry.size += bytes.length;
    yield passed(bytes);
  }
  const last = entries.at(-1);
  if (last) yield passed(descriptor(last));
  yield ending(entries, at);
}
