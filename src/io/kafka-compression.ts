import { promisify } from "node:util";
import { zstdCompress, zstdCompressSync, zstdDecompress } from "node:zlib";
import kafkajs from "kafkajs";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** One record batch, inflated. A batch is at most 1 MB compressed, so only a bomb is larger than this. */
export const MAX_INFLATED_BYTES = 128 * 1024 * 1024;

/** So little is compressed in 25 to 70 µs; handing it to another thread alone takes 50. */
const AT_ONCE_BYTES = 16 * 1024;

/**
 * zstd from node:zlib, so that no native package is needed. The topics declare `compression.type=zstd`: whatever codec a
 * foreign producer used, the broker hands out zstd, and a codec that kafkajs lacks can never stop a consumer. Told the
 * size beforehand, zstd makes tables of that size: else half a millisecond goes into each batch, however small.
 */
export function registerZstd(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => {
      const sized = { pledgedSrcSize: buffer.length };
      return buffer.length <= AT_ONCE_BYTES ? zstdCompressSync(buffer, sized) : compress(buffer, sized);
    },
    decompress: (buffer: Buffer) => decompress(buffer, { maxOutputLength: MAX_INFLATED_BYTES }),
  });
}
