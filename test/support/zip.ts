import { crc32, deflateRawSync } from "node:zlib";

export type ZipEntry = {
  name: string;
  text: string;
  /** What the headers say instead of the real size. */
  declared?: number;
};

const local = (name: Buffer, size: { crc: number; packed: number; whole: number }): Buffer => {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(0x0800, 6);
  head.writeUInt16LE(8, 8);
  head.writeUInt32LE(size.crc, 14);
  head.writeUInt32LE(size.packed, 18);
  head.writeUInt32LE(size.whole, 22);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, name]);
};

const central = (name: Buffer, size: { crc: number; packed: number; whole: number }, offset: number): Buffer => {
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(20, 6);
  head.writeUInt16LE(0x0800, 8);
  head.writeUInt16LE(8, 10);
  head.writeUInt32LE(size.crc, 16);
  head.writeUInt32LE(size.packed, 20);
  head.writeUInt32LE(size.whole, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt32LE(offset, 42);
  return Buffer.concat([head, name]);
};

/** Sizes and offset of zip64 stand in an extra field, and the old fields hold −1. */
const central64 = (name: Buffer, size: { crc: number; packed: number; whole: number }, offset: number): Buffer => {
  const old = central(name, { ...size, packed: 0xffffffff, whole: 0xffffffff }, 0xffffffff);
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  for (const [at, value] of [size.whole, size.packed, offset].entries()) {
    extra.writeBigUInt64LE(BigInt(value), 4 + 8 * at);
  }
  old.writeUInt16LE(extra.length, 30);
  return Buffer.concat([old, extra]);
};

/** End of the central directory of zip64, and where it stands. */
const end64 = (entries: number, directory: number, offset: number): Buffer => {
  const end = Buffer.alloc(76);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(45, 12);
  end.writeUInt16LE(45, 14);
  for (const [at, value] of [entries, entries, directory, offset].entries()) {
    end.writeBigUInt64LE(BigInt(value), 24 + 8 * at);
  }
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(offset + directory), 64);
  end.writeUInt32LE(1, 72);
  return end;
};

/** A zip archive of deflated entries, in order; as zip64 all numbers stand where files over 4 GB have them. */
export const zip = (entries: readonly ZipEntry[], zip64 = false): Buffer => {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, text, declared } of entries) {
    const bytes = Buffer.from(text);
    const packed = deflateRawSync(bytes);
    const size = { crc: crc32(bytes), packed: packed.length, whole: declared ?? bytes.length };
    const file = Buffer.concat([local(Buffer.from(name), size), packed]);
    directory.push((zip64 ? central64 : central)(Buffer.from(name), size, offset));
    files.push(file);
    offset += file.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  return Buffer.concat([...files, index, ...(zip64 ? [end64(entries.length, index.length, offset)] : []), end]);
};
