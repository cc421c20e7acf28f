import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseInstant } from "../../../src/ingest/time-text.ts";

test("an instant survives every offset it is written with", () => {
  fc.assert(
    fc.property(fc.integer({ min: -2e12, max: 4e12 }), fc.integer({ min: -18 * 60, max: 18 * 60 }), (at, offset) => {
      const local = new Date(at + offset * 60_000).toISOString().slice(0, -1);
      const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, "0");
      const minutes = String(Math.abs(offset) % 60).padStart(2, "0");
      expect(parseInstant(`${local}${offset < 0 ? "-" : "+"}${hours}:${minutes}`)).toBe(at);
    }),
  );
});

test.each([
  ["2026-11-21T06:00:00Z", "2026-11-21T06:00:00.000Z"],
  ["2026-11-21T06:00Z", "2026-11-21T06:00:00.000Z"],
  ["2026-11-21T06:00:00.9999999+0100", "2026-11-21T05:00:00.999Z"],
  ["2024-02-29T00:00:00,5z", "2024-02-29T00:00:00.500Z"],
])("reads %s", (text, expected) => {
  expect(new Date(parseInstant(text) ?? Number.NaN).toISOString()).toBe(expected);
});

test.each([
  "2026-11-21T06:00:00",
  "2026-11-21",
  "2026-11-21 06:00:00Z",
  "2026-02-29T00:00:00Z",
  "1900-02-29T00:00:00Z",
  "2026-11-31T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-11-21T24:00:00Z",
  "2026-11-21T06:60:00Z",
  "2026-11-21T06:00:60Z",
  "2026-11-21T06:00:00+19:00",
  "0021-11-21T06:00:00Z",
  "",
  1_795_240_800_000,
  null,
])("refuses %s, rather than guess", (text) => {
  expect(parseInstant(text)).toBeUndefined();
});

const ISO = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?(Z|[+-](?:0\d|1[0-8]):?[0-5]\d)$/i;

/** The same by a regular expression and `Date`, which knows the calendar. */
const expected = (text: string): number | undefined => {
  const [, date = "", hour = "", minute = "", second = "00", fraction = "", offset = ""] = ISO.exec(text) ?? [];
  const day = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== date || date < "0100") return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const ms = Number(`${fraction}000`.slice(0, 3));
  const clock = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + ms;
  const digits = offset.replaceAll(/\D/g, "");
  const east = (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000;
  return day + clock - (offset.startsWith("-") ? -east : east);
};

test("reads and refuses what ISO 8601 does, however a text is spoilt", () => {
  const form = fc.constantFrom<string>(
    "2024-02-29T23:59:59+02:00",
    "2026-11-21T06:00:00Z",
    "2026-11-21t06:00z",
    "1999-12-31T06:00:07.123456-0330",
    "2026-11-21T06:00:00,5+18:00",
    "2026-11-21T06:00:00.123456789012Z",
  );
  const spoilt = fc.record({ at: fc.nat(32), put: fc.constantFrom(..."0123459-:TtZz+., x".split("")), cut: fc.nat(1) });
  fc.assert(
    fc.property(form, fc.array(spoilt, { maxLength: 4 }), (start, changes) => {
      const text = changes.reduce<string>(
        (now, { at, put, cut }) => now.slice(0, at) + put + now.slice(at + cut),
        start,
      );
      expect([text, parseInstant(text)]).toEqual([text, expected(text)]);
    }),
    { numRuns: 5000 },
  );
});
