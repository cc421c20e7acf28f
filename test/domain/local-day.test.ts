import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as day from "../../src/domain/local-day.ts";
import { at } from "./make.ts";

const iso = (instant: number): string => new Date(instant).toISOString();
const hours = (date: string, zone: string): number => (day.dayEnd(date, zone) - day.dayStart(date, zone)) / day.HOUR;

test("a day has 23 hours when clocks go forward and 25 when they go back", () => {
  expect(hours("2026-03-29", "Europe/Amsterdam")).toBe(23);
  expect(hours("2026-10-25", "Europe/Amsterdam")).toBe(25);
  expect(hours("2026-03-28", "Europe/Amsterdam")).toBe(24);
});

test("zones off the hour have their own midnights", () => {
  expect(iso(day.dayStart("2026-03-10", "Asia/Kolkata"))).toBe("2026-03-09T18:30:00.000Z");
  expect(iso(day.dayStart("2026-03-10", "Asia/Kathmandu"))).toBe("2026-03-09T18:15:00.000Z");
  expect(day.localDate(at("2026-03-09T18:29:59.999Z"), "Asia/Kolkata")).toBe("2026-03-09");
  expect(day.localDate(at("2026-03-09T18:30:00Z"), "Asia/Kolkata")).toBe("2026-03-10");
});

test("Lord Howe moves its clocks by half an hour", () => {
  expect(hours("2026-04-05", "Australia/Lord_Howe")).toBe(24.5);
  expect(hours("2026-10-04", "Australia/Lord_Howe")).toBe(23.5);
});

test("a day begins at the first instant of its date where 00:00 is skipped (D19)", () => {
  expect(iso(day.dayStart("2026-04-24", "Africa/Cairo"))).toBe("2026-04-23T22:00:00.000Z");
  expect(day.localDate(at("2026-04-23T22:00:00Z"), "Africa/Cairo")).toBe("2026-04-24");
  expect(hours("2026-04-24", "Africa/Cairo")).toBe(23);
});

test("a date that comes twice begins with the first, and the second ends at the next midnight", () => {
  const zone = "America/St_Johns"; // in 2010 clocks went from 00:01 back to 23:01
  const start = day.dayStart("2010-11-07", zone);
  expect(iso(start)).toBe("2010-11-07T02:30:00.000Z");
  const again = start + 30 * day.MINUTE;
  expect(day.localDate(again, zone)).toBe("2010-11-06");
  expect(iso(day.midnightAfter(again, zone))).toBe("2010-11-07T03:30:00.000Z");
});

test("a date that a zone skipped as a whole is empty", () => {
  expect(hours("2011-12-30", "Pacific/Apia")).toBe(0);
  expect(day.localDate(day.dayStart("2011-12-30", "Pacific/Apia"), "Pacific/Apia")).toBe("2011-12-31");
});

test("a transition off the quarter of an hour is kept to the second", () => {
  const change = at("1972-01-07T00:44:30Z");
  expect(day.offsetAt(change - 1, "Africa/Monrovia")).toBe(-(44 * 60 + 30) * 1000);
  expect(day.offsetAt(change, "Africa/Monrovia")).toBe(0);
});

test("offsets are zones too, in the forms that clients write", () => {
  const forms = ["+0530", "+5:30", "GMT+0530", "UTC+05:30", "+530"];
  expect(forms.map(day.canonicalZone)).toEqual(forms.map(() => "+05:30"));
  expect(["-8", "Z", "z", "-00:00", "Etc/GMT+5"].map(day.canonicalZone)).toEqual([
    "-08:00",
    "UTC",
    "UTC",
    "+00:00",
    "Etc/GMT+5",
  ]);
  expect(day.localDate(at("2026-03-09T18:30:00Z"), "+05:30")).toBe("2026-03-10");
  expect(day.dayEnd("2026-03-10", "-08:00") - day.dayStart("2026-03-10", "-08:00")).toBe(day.DAY);
});

test("what is neither a name nor an offset on Earth is no zone", () => {
  const texts = ["", "Mars/Olympus", "+15:00", "-12:01", "+01:60", "+99", "12", "x".repeat(65), "Europe/Amster dam"];
  expect(texts.filter(day.isZone)).toEqual([]);
  expect(day.isZone("America/Argentina/Buenos_Aires")).toBe(true);
});

test("dates count in days and are real days of the calendar", () => {
  expect(day.epochDay("1970-01-01")).toBe(0);
  expect(day.addDays("2028-02-28", 1)).toBe("2028-02-29");
  expect(day.addDays("2026-01-01", -1)).toBe("2025-12-31");
  expect(day.fromEpochDay(day.epochDay("2026-11-22"))).toBe("2026-11-22");
  expect(["2026-02-28", "2028-02-29", "0001-01-01"].every(day.isLocalDate)).toBe(true);
  expect(
    ["2026-02-29", "2026-13-01", "2026-00-10", "26-01-01", "2026-1-1", "", "2026-01-01T00:00:00Z"].some(
      day.isLocalDate,
    ),
  ).toBe(false);
});

test("an instant has two or three dates on Earth, and the date in every zone is among them", () => {
  expect(day.possibleDates(at("2026-03-10T10:30:00Z"))).toEqual(["2026-03-09", "2026-03-10", "2026-03-11"]);
  expect(day.possibleDates(at("2026-03-10T13:00:00Z"))).toEqual(["2026-03-10", "2026-03-11"]);
});

const zones = fc.constantFrom(...Intl.supportedValuesOf("timeZone"), "+05:45", "-09:30", "+14:00", "-12:00");
const instants = fc.integer({ min: at("2012-01-01T00:00:00Z"), max: at("2040-01-01T00:00:00Z") });

/** Within two hours of a change of offset in Europe, Egypt, the Levant, Chile, or Lord Howe. */
const nearChanges = fc
  .tuple(
    fc.integer({ min: 2012, max: 2039 }),
    fc.constantFrom("03-2", "04-0", "09-0", "10-2", "10-3", "11-0"),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 0, max: 86_399_999 }),
  )
  .map(
    ([year, month, digit, ms]) =>
      day.epochDay(`${year}-${month}${Math.min(digit, month.endsWith("3") ? 1 : 9)}`) * day.DAY + ms,
  );

test("an instant lies in the day of its local date, which begins and ends with that date, in every zone", () => {
  fc.assert(
    fc.property(zones, fc.oneof(instants, nearChanges), (zone, instant) => {
      const date = day.localDate(instant, zone);
      const [start, end] = [day.dayStart(date, zone), day.dayEnd(date, zone)];
      expect(start).toBeLessThanOrEqual(instant);
      expect(instant).toBeLessThan(end);
      expect(day.localDate(start, zone)).toBe(date);
      expect(day.localDate(start - 1, zone) < date).toBe(true);
      expect(day.localDate(end - 1, zone)).toBe(date);
      expect(day.localDate(end, zone) > date).toBe(true);
      expect(day.midnightAfter(instant, zone)).toBe(end);
      expect(day.possibleDates(instant)).toContain(date);
    }),
    { numRuns: 1000 },
  );
});

test("remembered offsets are those that Intl gives", () => {
  fc.assert(
    fc.property(zones, fc.oneof(instants, nearChanges), (zone, instant) => {
      const wall = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" }).format(instant);
      expect(day.localDate(instant, zone)).toBe(wall);
    }),
    { numRuns: 500 },
  );
});

test("what is remembered is bounded: a client that walks through all days and spellings of zones only costs time", () => {
  const first = day.offsetAt(at("2026-07-01T00:00:00Z"), "Europe/Amsterdam");
  const names = Intl.supportedValuesOf("timeZone");
  for (let n = 0; n < 1200; n += 1) {
    const name = names[n % names.length] as string;
    expect(day.isZone(n < names.length ? name.toLowerCase() : name.toUpperCase())).toBe(true);
  }
  for (let n = 0; n < 66_000; n += 1) {
    day.offsetAt(n * day.DAY, "Asia/Kolkata");
    day.fromEpochDay(n);
  }
  expect(day.fromEpochDay(0)).toBe("1970-01-01");
  expect(day.offsetAt(at("2026-07-01T00:00:00Z"), "Europe/Amsterdam")).toBe(first);
});
