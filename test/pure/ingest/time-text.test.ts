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
