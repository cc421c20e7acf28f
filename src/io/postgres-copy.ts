import type { Readable, Writable } from "node:stream";
import { escapeIdentifier, escapeLiteral } from "pg";
import type { ClientBase } from "pg";
import { from, to } from "pg-copy-streams";
import type { CopyColumn, CopyType } from "../flow/ports.ts";
import { copyDecoder } from "./copy-binary-decode.ts";
import { encodeCopy } from "./copy-binary.ts";

/** `a.b` becomes `"a"."b"`. */
const quotedTable = (table: string): string =>
  table
    .split(".")
    .map((part) => escapeIdentifier(part))
    .join(".");

/**
 * COPY FROM STDIN. Everything is encoded before the first byte is sent, so that a value that does not fit
 * throws here and leaves the connection in order.
 */
export const copyIn = async (
  client: ClientBase,
  job: { table: string; columns: readonly CopyColumn[]; rows: Iterable<readonly unknown[]> },
): Promise<void> => {
  const buffers = [
    ...encodeCopy(
      job.columns.map((column) => column.type),
      job.rows,
    ),
  ];
  const names = job.columns.map((column) => escapeIdentifier(column.name)).join(", ");
  const stream: Writable = client.query(from(`copy ${quotedTable(job.table)} (${names}) from stdin (format binary)`));
  await new Promise<void>((resolve, reject) => {
    stream.on("error", reject);
    stream.on("finish", resolve);
    for (const buffer of buffers) stream.write(buffer);
    stream.end();
  });
};

const scalarText = (value: unknown): string => {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw new TypeError("copyOut takes strings, numbers, booleans, dates and arrays of these");
};

const arrayText = (values: readonly unknown[]): string => {
  const items = values.map((each) => (each === null ? "NULL" : `"${scalarText(each).replace(/[\\"]/g, "\\$&")}"`));
  return `{${items.join(",")}}`;
};

/** COPY takes no parameters: $1, $2 … are put in as literals, which Postgres types by their context as it does parameters. */
const withLiterals = (query: string, params: readonly unknown[]): string =>
  query.replace(/\$(\d+)/g, (_, digits: string) => {
    const value = params[Number(digits) - 1];
    if (value === undefined) throw new RangeError(`no parameter for $${digits}`);
    if (value === null) return "null";
    return escapeLiteral(Array.isArray(value) ? arrayText(value) : scalarText(value));
  });

/** COPY (query) TO STDOUT, all rows as arrays in column order. */
export const copyOut = async (
  client: ClientBase,
  job: { query: string; types: readonly CopyType[]; params: readonly unknown[] },
): Promise<unknown[][]> => {
  const decoder = copyDecoder(job.types);
  const text = withLiterals(job.query, job.params);
  const stream: Readable & { callback?: () => void } = client.query(to(`copy (${text}) to stdout (format binary)`));
  const done = new Promise<void>((resolve, reject) => {
    let failure: Error | undefined;
    stream.on("error", reject);
    stream.on("end", () => (failure ? reject(failure) : resolve()));
    stream.on("data", (chunk: Buffer) => {
      try {
        if (!failure) decoder.push(chunk);
      } catch (error) {
        // The rest is read and thrown away: a COPY left half-way would block the connection.
        failure = error as Error;
      }
    });
  });
  // pg sets the query timeout's timer on every query, and pg-copy-streams does not stop it.
  await done.finally(() => stream.callback?.());
  return decoder.finish();
};
