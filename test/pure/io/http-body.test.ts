import { expect, test } from "vitest";
import { Problem } from "../../../src/flow/route.ts";
import { MAX_VALUES, parsedJson } from "../../../src/io/http-body.ts";

const statusOf = (text: string): number => {
  try {
    parsedJson(Buffer.from(text));
    return 200;
  } catch (error) {
    return error instanceof Problem ? error.status : 500;
  }
};

test("a body of more values than any batch has is refused before it is parsed into gigabytes of objects", () => {
  const many = 4 << 20;
  expect(statusOf(`{"samples":[${"{},".repeat(many)}{}]}`)).toBe(413);
  expect(statusOf("[".repeat(many) + "]".repeat(many))).toBe(413);
  expect(statusOf(`{${'"a":0,'.repeat(many)}"z":0}`)).toBe(413);
});

test("commas and brackets inside strings are no values", () => {
  const text = JSON.stringify({ note: ',[{"\\'.repeat(MAX_VALUES) });
  expect(statusOf(text)).toBe(200);
  expect(parsedJson(Buffer.from('{"a":"\\\\","b":[1,2]}'))).toEqual({ a: "\\", b: [1, 2] });
});

test("what is no JSON is still told apart from what is too much", () => {
  expect(statusOf('{"samples":[')).toBe(400);
  expect(statusOf('{"samples":"')).toBe(400);
  expect(statusOf("\u0000")).toBe(400);
});
