import type { Instant, LocalDate } from "../domain/sample.ts";

/** Postgres counts from 2000-01-01. */
const EPOCH_2000_DAYS = 10_957;
const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant's days_from_civil), years 1 to 9999. */
const daysFromCivil = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
};

/** Dates that were read, of which there are few: those of a batch are mostly the same ones. */
const known = new Map<LocalDate, number>();
const MOST_KNOWN = 65_536;

/** Days since 2000-01-01, as COPY binary has dates. Throws on anything but a real date of the years 1 to 9999. */
export const daysFromDate = (date: LocalDate): number => {
  const before = known.get(date);
  if (before !== undefined) return before;
  const year = Number(date.slice(0, 4));
  const days =
    date.length === 10 ? daysFromCivil(year, Number(date.slice(5, 7)), Number(date.slice(8, 10))) : Number.NaN;
  if (!(year >= 1) || dateFromDays(days - EPOCH_2000_DAYS) !== date) throw new RangeError(`not a date: ${date}`);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(date, days - EPOCH_2000_DAYS);
  return days - EPOCH_2000_DAYS;
};

/** The inverse of daysFromDate. */
export const dateFromDays = (days: number): LocalDate => {
  const shown = new Date((days + EPOCH_2000_DAYS) * DAY_MS);
  return Number.isNaN(shown.getTime()) ? "" : shown.toISOString().slice(0, 10);
};

const ZONED = /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?([+-]\d\d)(?::?(\d\d))?(?::?(\d\d))?( BC)?$/;

/**
 * A timestamptz in ISO style to milliseconds, fractions cut towards the past as COPY binary's decoder does;
 * `infinity` and `-infinity` are the infinite numbers.
 */
export const instantFromText = (text: string): Instant => {
  if (text === "infinity") return Infinity;
  if (text === "-infinity") return -Infinity;
  const m = ZONED.exec(text);
  if (!m) throw new RangeError(`not a timestamp in ISO style: ${text}`);
  const part = (at: number): number => Number(m[at] ?? 0);
  const year = m[11] ? 1 - part(1) : part(1);
  const sign = m[8]?.startsWith("-") ? -1 : 1;
  const offset = part(8) * 3_600_000 + sign * (part(9) * 60_000 + part(10) * 1_000);
  const fraction = Math.floor(Number((m[7] ?? "").padEnd(3, "0").slice(0, 3)));
  return (
    daysFromCivil(year, part(2), part(3)) * DAY_MS +
    part(4) * 3_600_000 +
    part(5) * 60_000 +
    part(6) * 1_000 +
    fraction -
    offset
  );
};
