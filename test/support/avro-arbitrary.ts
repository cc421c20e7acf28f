import * as fc from "fast-check";

/** A schema with values that fit it. */
export type SchemaCase = { schema: unknown; value: fc.Arbitrary<unknown> };

const LONGEST = 9_007_199_254_740_990;
const PRIMITIVES: SchemaCase[] = [
  { schema: "boolean", value: fc.boolean() },
  { schema: "int", value: fc.integer() },
  { schema: "long", value: fc.integer({ min: -LONGEST, max: LONGEST }) },
  { schema: "float", value: fc.float({ noNaN: true }) },
  { schema: "double", value: fc.double({ noNaN: true }) },
  { schema: "string", value: fc.string({ unit: "binary" }) },
  { schema: "bytes", value: fc.uint8Array().map((bytes) => Buffer.from(bytes)) },
];

let names = 0;
const named = (): string => `N${names++}`;

const nullable = (inner: SchemaCase): SchemaCase => ({
  schema: ["null", inner.schema],
  value: fc.option(inner.value, { nil: null }),
});
const enumeration = fc.constant(0).map((): SchemaCase => {
  const symbols = ["A", "B", "C"];
  return { schema: { type: "enum", name: named(), symbols }, value: fc.constantFrom(...symbols) };
});
const fixed = fc.integer({ min: 1, max: 20 }).map((size): SchemaCase => {
  const value = fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => Buffer.from(bytes));
  return { schema: { type: "fixed", name: named(), size }, value };
});

/** Any schema that needs no more than a byte an item, and never a union of a union. */
export const schemaCases: fc.Arbitrary<SchemaCase> = fc.letrec<{ any: SchemaCase }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...PRIMITIVES),
    enumeration,
    fixed,
    tie("any").map((inner) => (Array.isArray(inner.schema) ? inner : nullable(inner))),
    tie("any").map((inner) => ({
      schema: { type: "array", items: inner.schema },
      value: fc.array(inner.value, { maxLength: 5 }),
    })),
    tie("any").map((inner) => ({
      schema: { type: "map", values: inner.schema },
      value: fc.dictionary(fc.string(), inner.value, { maxKeys: 4, noNullPrototype: true }),
    })),
    fc.array(tie("any"), { minLength: 1, maxLength: 4 }).map((fields) => ({
      schema: {
        type: "record",
        name: named(),
        fields: fields.map((field, index) => ({ name: `f${index}`, type: field.schema })),
      },
      value: fc.record(Object.fromEntries(fields.map((field, index) => [`f${index}`, field.value]))),
    })),
  ),
})).any;
