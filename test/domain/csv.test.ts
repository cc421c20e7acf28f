import { expect, test } from "vitest";
import { csvLine } from "../../src/domain/csv.ts";

test("cells are quoted where they must be, and quotes doubled (RFC 4180)", () => {
  expect(csvLine(["plain", 'a "b", c', "two\nlines", "carriage\rreturn"])).toBe(
    'plain,"a ""b"", c","two\nlines","carriage\rreturn"\r\n',
  );
});

test("what is absent is empty, and what is no text is JSON", () => {
  expect(csvLine([null, undefined, 1.5, true, { a: 1, b: "x" }])).toBe(',,1.5,true,"{""a"":1,""b"":""x""}"\r\n');
});
