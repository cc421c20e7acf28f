import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Problem, unavailable } from "../../flow/route.ts";

export type Upload = { bytes: AsyncIterable<Uint8Array>; encoding: string | undefined; length: string | undefined };

const tooLarge = (limit: number): Problem =>
  new Problem(413, `the upload is over ${limit} bytes: use \`health-sync import\`, or export a shorter time`, {
    headers: { connection: "close" },
  });

/** What Node says of a broken transfer, in words; anything else is not the client's. */
const asProblem = (error: NodeJS.ErrnoException): unknown => {
  const code = error.code ?? "";
  if (code.startsWith("Z_")) return new Problem(400, "the body is not valid gzip");
  if (code === "ENOSPC" || code === "EDQUOT") {
    return unavailable("there is no room for the upload now: send it again later", 60, error);
  }
  const cut = ["ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE", "ECONNABORTED", "ABORT_ERR"].includes(code);
  return cut ? new Problem(400, "the upload broke off: send it again") : error;
};

/** Writes an upload to `path`, inflated, never more than `limit` bytes of it. Throws Problem 400, 413, 415 or 503. */
export const spool = async (upload: Upload, path: string, limit: number): Promise<number> => {
  const { encoding = "identity", length } = upload;
  if (!["", "identity", "gzip", "x-gzip"].includes(encoding)) {
    throw new Problem(415, "send the file as it is or with `Content-Encoding: gzip`", {
      headers: { "accept-encoding": "gzip" },
    });
  }
  if (Number(length ?? 0) > limit) throw tooLarge(limit);
  const file = await open(path, "wx", 0o600);
  let written = 0;
  const write = async (pieces: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const piece of pieces) {
      written += piece.length;
      if (written > limit) throw tooLarge(limit);
      await file.appendFile(piece);
    }
  };
  try {
    if (encoding.endsWith("gzip")) await pipeline(upload.bytes, createGunzip(), write);
    else await write(upload.bytes);
  } catch (error) {
    throw asProblem(error as NodeJS.ErrnoException);
  } finally {
    await file.close();
  }
  return written;
};
