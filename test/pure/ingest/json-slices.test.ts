import * as fc from "fast-check";
import { expect, test } from "vitest";
import { listSlices } from "../../../src/ingest/json-slices.ts";

const cut = (text: string, list: string): string[] =>
  (listSlices(text).get(list) ?? []).map(([from, to]) => text.slice(from, to));

test("the slices of a list are the texts of its elements, however it is spaced", () => {
  const lists = fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())));
  fc.assert(
    fc.property(lists, fc.constantFrom<string | number>("", 1, "\t", "  "), (body, space) => {
      const text = JSON.stringify(body, null, space);
      for (const [key, value] of Object.entries(body)) {
        if (!Array.isArray(value)) continue;
        expect(cut(text, key).map((slice) => JSON.parse(slice) as unknown)).toEqual(JSON.parse(JSON.stringify(value)));
      }
    }),
  );
});

test("what parsing would lose is kept: digits, doubled keys, escapes and order", () => {
  const text = String.raw`{"samples": [1] , "samples" : [ {"value":1e400, "value":5.10,"a":"]\"},"} , 0.10000000000000000001 ] }`;
  expect(cut(text, "samples")).toEqual([
    String.raw`{"value":1e400, "value":5.10,"a":"]\"},"}`,
    "0.10000000000000000001",
  ]);
});
