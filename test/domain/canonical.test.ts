import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, sameJson } from "../../src/domain/canonical.ts";

const KEYS = ["a", "b", "__proto__", "constructor"];
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 0, -0, 1, Number.NaN, "", "x", undefined),
    fc.array(tie("value"), { maxLength: 2 }),
    fc
      .array(fc.tuple(fc.constantFrom(...KEYS), tie("value")), { maxLength: 3 })
      .map((members) => Object.fromEntries(members)),
  ),
})).value;

test("what is the same has the same text, whatever its members are called", () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      const sound = !sameJson(a, b) || canonicalJson(a) === canonicalJson(b);
      expect(sound).toBe(true);
    }),
    { numRuns: 3000 },
  );
});

test("a value and what JSON makes of it are the same, in any order of members", () => {
  const value = fc.jsonValue().filter((one) => !Object.is(one, -0));
  fc.assert(
    fc.property(value, (one) => {
      expect(sameJson(one, JSON.parse(JSON.stringify(one)))).toBe(true);
      expect(sameJson(one, JSON.parse(canonicalJson(one)))).toBe(true);
    }),
  );
});

test("other types, lengths and members are not the same", () => {
  const others: [unknown, unknown][] = [
    [null, {}],
    [{}, null],
    [{}, []],
    [{ a: 1 }, {}],
    [{ a: 1 }, { b: 1 }],
    [[1], [1, 2]],
    ["1", 1],
    [1, {}],
    [JSON.parse(`{"__proto__":{},"a":1}`), { a: 1, b: 1 }],
  ];
  for (const [a, b] of others) expect(sameJson(a, b)).toBe(false);
});
