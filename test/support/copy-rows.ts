import * as fc from "fast-check";
import type { CopyColumn, CopyType } from "../../src/flow/ports.ts";

/** One column of every type that COPY knows here, and rows of anything that Postgres can hold in them. */
export const COPY_COLUMNS: readonly CopyColumn[] = (
  ["text", "uuid", "timestamptz", "date", "float8", "int8", "int4", "bool", "jsonb", "bytea"] as CopyType[]
).map((type) => ({ name: `a_${type}`, type }));
export const COPY_TYPES = COPY_COLUMNS.map((column) => column.type);

const FIRST = new Date("0001-01-01T00:00:00Z").getTime();
const LAST = new Date("9999-12-31T23:59:59.999Z").getTime();

/** Postgres holds no NUL in text, and no lone surrogates in UTF-8. */
const text = fc.string({ unit: "grapheme" }).map((value) => value.replaceAll("\0", "").toWellFormed());
const instant = fc.oneof(
  fc.integer({ min: FIRST, max: LAST }),
  fc.constantFrom(FIRST, LAST, 0, -1, Infinity, -Infinity, 946_684_800_000),
);
const date = fc
  .integer({ min: FIRST / 86_400_000, max: Math.floor(LAST / 86_400_000) })
  .map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10));
const int8 = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, 2 ** 32, -(2 ** 32), 2 ** 32 - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
);
/** jsonb's numbers are decimals without −0, and its objects have one order of keys. */
const json = fc.oneof(
  fc.dictionary(
    text.filter((key) => key !== "__proto__"),
    fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
  ),
  fc.array(fc.oneof(text, fc.integer()), { maxLength: 4 }),
  text,
  fc.integer(),
);

export const copyRow: fc.Arbitrary<unknown[]> = fc.tuple(
  ...(
    [
      text,
      fc.uuid(),
      instant,
      date,
      fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, Number.MIN_VALUE, Number.MAX_VALUE)),
      int8,
      fc.integer(),
      fc.boolean(),
      json,
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    ] as fc.Arbitrary<unknown>[]
  ).map((each) => fc.option(each, { nil: null, freq: 6 })),
);
