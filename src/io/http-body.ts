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

/**
 * Values that a body may hold. A batch of 5000 samples has some 200 000; a few bytes of gzip can hold millions of empty
 * objects, which take gigabytes once they are parsed.
 */
export const MAX_VALUES = 1_000_000;

const [QUOTE, BACKSLASH, COMMA, LIST, OBJECT] = [34, 92, 44, 91, 123];

/** Whether the text, if it is JSON, holds more values than `limit`: counted by what stands before each. */
const holdsMoreThan = (bytes: Uint8Array, limit: number): boolean => {
  // Each takes a byte at least.
  if (bytes.length <= limit) return false;
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      for (at += 1; at < bytes.length && bytes[at] !== QUOTE; at += 1) if (bytes[at] === BACKSLASH) at += 1;
    } else if ((byte === COMMA || byte === LIST || byte === OBJECT) && ++count > limit) return true;
  }
  return false;
};

/** UTF-8 JSON text. The answer says where it breaks and never quotes it. Throws Problem 400 or 413. */
export const parsedJson = (bytes: Uint8Array): unknown => {
  if (holdsMoreThan(bytes, MAX_VALUES)) {
    throw new Problem(413, `the body holds more than ${MAX_VALUES} values: split the batch`);
  }
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
