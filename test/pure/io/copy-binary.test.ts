import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { CopyType } from "../../../src/flow/ports.ts";
import { copyDecoder } from "../../../src/io/copy-binary-decode.ts";
import { encodeCopy } from "../../../src/io/copy-binary.ts";
import { COPY_TYPES, copyRow } from "../../support/copy-rows.ts";

const decode = (types: readonly CopyType[], bytes: Buffer, cuts: readonly number[]): unknown[][] => {
  const decoder = copyDecoder(types);
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (const [index, edge] of edges.entries()) decoder.push(bytes.subarray(edge, edges[index + 1] ?? bytes.length));
  return decoder.finish();
};

test("any rows survive encoding and decoding, wherever the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(copyRow, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 12 }), (rows, cuts) => {
      const bytes = Buffer.concat([...encodeCopy(COPY_TYPES, rows)]);
      expect(decode(COPY_TYPES, bytes, cuts)).toEqual(rows);
    }),
  );
});

test("one byte at a time is a stream too", () => {
  const rows = [
    ["ä€😀", null],
    ["", 1.5],
  ];
  const bytes = Buffer.concat([...encodeCopy(["text", "float8"], rows)]);
  const everywhere = Array.from(bytes, (_, index) => index);
  expect(decode(["text", "float8"], bytes, everywhere)).toEqual(rows);
});

test("many rows come in several buffers and are still one stream", () => {
  const rows = Array.from({ length: 20_000 }, (_, index) => [`row ${index} ${"x".repeat(index % 90)}`, index]);
  const buffers = [...encodeCopy(["text", "int8"], rows)];
  expect(buffers.length).toBeGreaterThan(2);
  expect(decode(["text", "int8"], Buffer.concat(buffers), [])).toEqual(rows);
});

test("a text larger than the buffer grows it", () => {
  const rows = [["é".repeat(700_000)], ["after"]];
  expect(decode(["text"], Buffer.concat([...encodeCopy(["text"], rows)]), [])).toEqual(rows);
});

test("a stream that ends early is refused", () => {
  const bytes = Buffer.concat([...encodeCopy(["int8"], [[1], [2]])]);
  const decoder = copyDecoder(["int8"]);
  decoder.push(bytes.subarray(0, bytes.length - 3));
  expect(() => decoder.finish()).toThrow("ended before its trailer");
});

test("types that do not match the columns are refused rather than misread", () => {
  const bytes = Buffer.concat([...encodeCopy(["int4", "text"], [[7, "a"]])]);
  expect(() => copyDecoder(["int8", "text"]).push(bytes)).toThrow("is not int8");
  expect(() => copyDecoder(["int4"]).push(bytes)).toThrow("2 columns");
});

test.each<[CopyType, unknown]>([
  ["uuid", "not-a-uuid"],
  ["timestamptz", 1.5],
  ["timestamptz", Number.NaN],
  ["int8", 2 ** 60],
  ["int4", 2 ** 40],
  ["date", "2026-02-30"],
  ["date", "2026-2-3"],
])("a value that does not fit %s is refused with its column: %s", (type, value) => {
  expect(() => [...encodeCopy(["text", type], [["a", value]])]).toThrow(`column 2 does not fit ${type}`);
});
