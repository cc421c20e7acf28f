import * as fc from "fast-check";
import { expect, test } from "vitest";
import { coveredDays, effectiveEnd } from "../../src/domain/interval.ts";
import { epochDay, localDate, possibleDates } from "../../src/domain/local-day.ts";
import { inputSpan, nextMidnight, touchedDates } from "../../src/domain/window.ts";
import { aSample, at, steps } from "./make.ts";

test("heart rate and steps touch their dates and the next (D18)", () => {
  expect(touchedDates(aSample({ start_at: at("2026-03-10T12:00:00Z") }))).toEqual(["2026-03-10", "2026-03-11"]);
  const long = steps("watch", ["23:50:00", "00:00:00"], 100, { end_at: at("2026-03-12T00:10:00Z") });
  expect(touchedDates(long)).toEqual(["2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13"]);
});

test("a sample of any other metric touches its own dates, a sleep segment those of the nights around it", () => {
  expect(touchedDates(aSample({ metric: "height" }))).toEqual(["2026-03-10"]);
  expect(touchedDates(aSample({ metric: "sleep_analysis" }))).toEqual([
    "2026-03-09",
    "2026-03-10",
    "2026-03-11",
    "2026-03-12",
  ]);
  expect(touchedDates(aSample({ metric: "no_metric" }))).toEqual(["2026-03-10"]);
});

test("an interval that ends at midnight does not touch the day that begins there", () => {
  const evening = steps("watch", ["23:00:00", "00:00:00"], 100, { end_at: at("2026-03-11T00:00:00Z") });
  expect(coveredDays(evening, "UTC").map((day) => day - epochDay("2026-03-10"))).toEqual([0, 0]);
});

test("an instant lasts a second, over midnight too", () => {
  const last = aSample({ start_at: at("2026-03-10T23:59:59.500Z") });
  expect(effectiveEnd(last) - last.start_at).toBe(1000);
  expect(touchedDates(last)).toEqual(["2026-03-10", "2026-03-11", "2026-03-12"]);
});

test("the dates in the athlete's other zones are touched too", () => {
  const evening = aSample({ start_at: at("2026-03-10T20:00:00Z"), tz: "UTC" });
  expect(touchedDates(evening, ["Asia/Tokyo", "America/New_York", "UTC"])).toEqual([
    "2026-03-10",
    "2026-03-11",
    "2026-03-12",
  ]);
});

test("a sample's window closes at the next midnight of its zone", () => {
  expect(nextMidnight(aSample({ tz: "America/New_York", local_date: "2026-03-08" }))).toBe(at("2026-03-09T04:00:00Z"));
});

test("the input span of a date holds its 36 hours before and after in every zone, and every sample that touches it", () => {
  expect(inputSpan("2026-03-10")).toEqual({ from: at("2026-03-07T22:00:00Z"), to: at("2026-03-13T00:00:00Z") });
  const instants = fc.integer({ min: 0, max: 4e12 });
  const zones = fc.constantFrom("Pacific/Kiritimati", "Etc/GMT+12", "UTC", "Asia/Kolkata");
  fc.assert(
    fc.property(instants, fc.integer({ min: 0, max: 4 * 86_400_000 }), zones, (start_at, length, tz) => {
      const sample = aSample({ start_at, end_at: start_at + length, tz, local_date: localDate(start_at, tz) });
      for (const date of touchedDates(sample)) {
        const { from, to } = inputSpan(date);
        expect(sample.end_at >= from && sample.start_at < to).toBe(true);
      }
      expect(possibleDates(start_at)).toContain(sample.local_date);
    }),
  );
});
