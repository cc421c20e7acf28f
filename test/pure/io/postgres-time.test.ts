import * as fc from "fast-check";
import { expect, test } from "vitest";
import { dateFromDays, daysFromDate, instantFromText } from "../../../src/io/postgres-time.ts";

test.each([
  ["2026-11-22 16:30:01.123456+00", "2026-11-22T16:30:01.123Z"],
  ["2026-11-22 16:30:01+00", "2026-11-22T16:30:01.000Z"],
  ["2026-11-22 16:30:01.5+05:30", "2026-11-22T11:00:01.500Z"],
  ["1900-01-01 00:00:00-03:30", "1900-01-01T03:30:00.000Z"],
  ["1850-01-01 00:00:00+00:19:32", "1849-12-31T23:40:28.000Z"],
  ["0001-01-01 00:00:00+00", "0001-01-01T00:00:00.000Z"],
  ["9999-12-31 23:59:59.999+00", "9999-12-31T23:59:59.999Z"],
  ["0001-12-31 00:00:00+00 BC", "0000-12-31T00:00:00.000Z"],
])("Postgres' %s is the instant %s", (text, instant) => {
  expect(instantFromText(text)).toBe(Date.parse(instant));
});

test("infinite timestamps are infinite numbers", () => {
  expect([instantFromText("infinity"), instantFromText("-infinity")]).toEqual([Infinity, -Infinity]);
});

test("a timestamp in another style is refused, not guessed", () => {
  expect(() => instantFromText("Sun 22 Nov 16:30:01 2026 UTC")).toThrow("not a timestamp in ISO style");
});

test("every date of the years 1 to 9999 is its own number of days", () => {
  const first = daysFromDate("0001-01-01");
  const last = daysFromDate("9999-12-31");
  expect(daysFromDate("2000-01-01")).toBe(0);
  fc.assert(
    fc.property(fc.integer({ min: first, max: last }), (days) => {
      expect(daysFromDate(dateFromDays(days))).toBe(days);
    }),
  );
});

test.each(["2025-02-29", "2026-13-01", "0000-01-01", "26-01-01", "2026-01-01T00:00", ""])("%s is no date", (text) => {
  expect(() => daysFromDate(text)).toThrow("not a date");
});
