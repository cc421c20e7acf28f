import * as fc from "fast-check";
import { expect, test } from "vitest";
import { typeOf } from "../../../src/io/avro-codec.ts";
import { Refused, guardOf } from "../../../src/io/avro-guard.ts";
import type { Limits } from "../../../src/io/avro-guard.ts";
import { schemaCases } from "../../support/avro-arbitrary.ts";

const NUMBERS = typeOf({ type: "array", items: "int" });
const zigzag = (value: number): number[] => {
  const out: number[] = [];
  let left = BigInt(value) * 2n;
  if (left < 0n) left = -left - 1n;
  for (; left >= 128n; left /= 128n) out.push(Number(left % 128n) + 128);
  return [...out, Number(left)];
};
const bytes = (...parts: (number | number[])[]): Buffer => Buffer.from(parts.flat());

test("the guard takes every encoding that avsc makes, of any schema", () => {
  const cases = schemaCases.chain(({ schema, value }) => value.map((v) => ({ schema, value: v })));
  fc.assert(
    fc.property(cases, ({ schema, value }) => {
      const type = typeOf(schema);
      expect(() => guardOf(type)(type.toBuffer(value))).not.toThrow();
    }),
    { numRuns: 500, verbose: 1 },
  );
});

test("the guard takes no encoding that is cut short or followed by more", () => {
  const cases = schemaCases.chain(({ schema, value }) => value.map((v) => ({ schema, value: v })));
  fc.assert(
    fc.property(cases, fc.nat(), ({ schema, value }, cut) => {
      const type = typeOf(schema);
      const whole = type.toBuffer(value);
      fc.pre(whole.length > 0);
      expect(() => guardOf(type)(whole.subarray(0, cut % whole.length))).toThrow(Refused);
      expect(() => guardOf(type)(Buffer.concat([whole, Buffer.from([0])]))).toThrow(Refused);
    }),
    { numRuns: 300, verbose: 1 },
  );
});

test("whatever the bytes, the guard takes them or refuses them, and what it takes never holds avsc up", () => {
  const limits = { bytes: 4096, items: 500, depth: 16 };
  const fates = new Set<string>();
  fc.assert(
    fc.property(schemaCases, fc.uint8Array({ maxLength: 200 }), ({ schema }, random) => {
      fates.add(fate(schema, Buffer.from(random), limits));
    }),
    { numRuns: 2000, verbose: 1 },
  );
  expect([...fates].toSorted()).toEqual(["decoded", "invalid", "refused"]);
});

/** `invalid`: well formed, but a symbol or a number is out of range, which avsc says itself. */
function fate(schema: unknown, value: Buffer, limits: Limits): string {
  const type = typeOf(schema);
  try {
    guardOf(type, limits)(value);
  } catch (error) {
    return error instanceof Refused ? "refused" : String(error);
  }
  try {
    type.fromBuffer(value);
    return "decoded";
  } catch {
    return "invalid";
  }
}

test("a few bytes that declare 200 million items are refused", () => {
  expect(() => guardOf(NUMBERS)(bytes(zigzag(200_000_000), 2, 0))).toThrow(/200000000 items declared/);
});

test("a negative count with any size is refused when the items are not there", () => {
  expect(() => guardOf(NUMBERS)(bytes(zigzag(-200_000_000), zigzag(4), 2, 0))).toThrow(/items declared/);
  expect(() => guardOf(NUMBERS)(bytes(zigzag(Number.MIN_SAFE_INTEGER), zigzag(4), 2, 0))).toThrow(/items declared/);
});

test("a block whose size leads backwards is refused, because avsc would skip along it for ever", () => {
  const writer = typeOf({
    type: "record",
    name: "W",
    fields: [{ name: "extra", type: { type: "array", items: "int" } }],
  });
  const loop = bytes(zigzag(-1), zigzag(-3), 2, 0);
  expect(() => guardOf(writer)(loop)).toThrow(/false size/);
  const fair = bytes(zigzag(-1), zigzag(1), 2, 0);
  expect(() => guardOf(writer)(fair)).not.toThrow();
});

test("many small blocks together stay within the bound on items", () => {
  const block = bytes(
    zigzag(10),
    Array.from({ length: 10 }, () => 0),
  );
  const value = Buffer.concat([...Array.from({ length: 11 }, () => block), bytes(0)]);
  expect(() => guardOf(NUMBERS, { bytes: 1000, items: 100, depth: 8 })(value)).toThrow(/more than 100 items/);
  expect(() => guardOf(NUMBERS, { bytes: 1000, items: 110, depth: 8 })(value)).not.toThrow();
});

test("a value above the bound on bytes is refused before it is looked at", () => {
  expect(() => guardOf(typeOf("string"), { bytes: 10, items: 1, depth: 1 })(Buffer.alloc(11))).toThrow(/more than 10/);
});

const nested = (depth: number): Buffer => Buffer.from([...Array.from({ length: depth }, () => 2), 0]);

test("a schema that names itself is followed to the bound on depth and no further", () => {
  const list = typeOf({
    type: "record",
    name: "List",
    fields: [{ name: "next", type: ["null", "List"], default: null }],
  });
  expect(() => guardOf(list)(nested(20))).not.toThrow();
  expect(() => guardOf(list)(nested(1_000_000))).toThrow(/nested deeper/);
});

test.each([
  ["nulls", { type: "array", items: "null" }],
  ["empty records", { type: "array", items: { type: "record", name: "Nothing", fields: [] } }],
  [
    "records of nulls",
    { type: "array", items: { type: "record", name: "Nulls", fields: [{ name: "n", type: "null" }] } },
  ],
])("a schema with an array of %s is refused as a whole", (_, schema) => {
  expect(() => guardOf(typeOf(schema))).toThrow(/without size/);
});

test("a union branch that does not exist, a negative length and an endless number are refused", () => {
  expect(() => guardOf(typeOf(["null", "int"]))(bytes(zigzag(2)))).toThrow(/branch/);
  expect(() => guardOf(typeOf(["null", "int"]))(bytes(zigzag(-1)))).toThrow(/branch/);
  expect(() => guardOf(typeOf("string"))(bytes(zigzag(-5)))).toThrow(/negative length/);
  expect(() => guardOf(typeOf("long"))(Buffer.alloc(12, 0xff))).toThrow(/number of more than 10 bytes/);
  expect(() => guardOf(typeOf("int"))(Buffer.alloc(6, 0xff))).toThrow(/number of more than 5 bytes/);
});
