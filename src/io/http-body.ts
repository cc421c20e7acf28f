import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Problem } from "../flow/route.ts";

const inflate = promisify(gunzip);

/**
 * The body after inflation, never more than `limit` bytes of it: a small gzip may hold gigabytes.
 * Throws Problem 400, 413 or 415.
 */
export const inflated = async (body: Buffer, encoding: string | undefined, limit: number): Promise<Buffer> => {
  if (encoding === undefined || encoding === "" || encoding === "identity") return body;
  if (encoding !== "gzip" && encoding !== "x-gzip") {
    throw new Problem(415, "send the body as it is or with `Content-Encoding: gzip`", {
      headers: { "accept-encoding": "gzip" },
    });
  }
  return inflate(body, { maxOutputLength: limit }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ERR_BUFFER_TOO_LARGE") {
      throw new Problem(413, `the body is over ${limit} bytes after inflation: split the batch`);
    }
    throw new Problem(400, "the body is not valid gzip");
  });
};

/** UTF-8 JSON text. The answer says where it breaks and never quotes it. Throws Problem 400. */
export const parsedJson = (bytes: Uint8Array): unknown => {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(400, "the body is not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const at = /at position (\d+)/.exec((error as Error).message)?.[1];
    const place = at === undefined ? "" : ` (it breaks at character ${at})`;
    throw new Problem(400, `the body is not valid JSON${place}`);
  }
};
