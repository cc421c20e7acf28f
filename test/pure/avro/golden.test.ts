import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { typeOf } from "../../../src/io/avro-codec.ts";
import { guardOf } from "../../../src/io/avro-guard.ts";
import { currentSchemas, goldenFiles } from "../../support/golden.ts";

const schemas = currentSchemas();

test.each(goldenFiles())("$schemaName version $version: its recorded bytes decode for ever", (golden) => {
  const writer = typeOf(golden.schema);
  const reader = typeOf(schemas.get(golden.schemaName));
  const resolver = reader.createResolver(writer);
  expect(golden.records.length).toBeGreaterThan(1);
  for (const { value, hex } of golden.records) {
    const bytes = Buffer.from(hex, "hex");
    guardOf(writer)(bytes);
    const expected: object = writer.fromString(JSON.stringify(value));
    expect(reader.fromBuffer(bytes, resolver)).toMatchObject(expected);
    expect(writer.toBuffer(writer.fromBuffer(bytes)).toString("hex")).toBe(hex);
    expect(writer.toBuffer(expected).toString("hex")).toBe(hex);
  }
});

test.each([...schemas.keys()])("%s as it is now has recorded bytes (record-golden.ts makes them)", (name) => {
  const versions = goldenFiles().filter(({ schemaName }) => schemaName === name);
  expect(versions.some(({ schema }) => isDeepStrictEqual(schema, schemas.get(name)))).toBe(true);
  expect(versions.map(({ version }) => version)).toEqual(versions.map((_, index) => index + 1));
});

test("the recorded values hold every field, with a value and, where it may be, as null", () => {
  for (const { schemaName, schema, records } of goldenFiles()) {
    const seen = new Map<string, Set<string>>();
    for (const { hex } of records) walk(typeOf(schema).fromBuffer(Buffer.from(hex, "hex")), "", seen);
    const missing = wanted(schema, "").filter(({ path, kind }) => seen.get(path)?.has(kind) !== true);
    expect(missing.map(({ path, kind }) => `${schemaName}${path} as ${kind}`)).toEqual([]);
  }
});

function walk(value: unknown, path: string, seen: Map<string, Set<string>>): void {
  const kinds = seen.get(path) ?? new Set();
  seen.set(path, kinds.add(value === null ? "null" : "value"));
  if (Array.isArray(value)) for (const item of value) walk(item, path, seen);
  else if (typeof value === "object" && value !== null && !Buffer.isBuffer(value))
    for (const [name, inner] of Object.entries(value)) walk(inner, `${path}.${name}`, seen);
}

type Node = { type?: unknown; fields?: { name: string; type: unknown }[]; items?: unknown };

function wanted(schema: unknown, path: string): { path: string; kind: "null" | "value" }[] {
  if (Array.isArray(schema)) return schema.flatMap((branch) => wanted(branch, path));
  if (typeof schema !== "object" || schema === null) return [{ path, kind: schema === "null" ? "null" : "value" }];
  const { type, fields, items }: Node = schema;
  if (fields) return fields.flatMap((field) => wanted(field.type, `${path}.${field.name}`));
  return items === undefined ? [{ path, kind: type === "null" ? "null" : "value" }] : wanted(items, path);
}
