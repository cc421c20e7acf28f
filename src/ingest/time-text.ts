import type { Instant } from "../domain/sample.ts";

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?(?:Z|([+-])(\d\d):?(\d\d))$/i;

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const daysIn = (year: number, month: number): number => {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
};

/** An import reads each time twice, for the id and for the check, and starts are often ends. */
const MOST_READ = 16_384;
const read = new Map<string, Instant>();

/**
 * ISO 8601 with an offset, kept to the millisecond (further digits are cut off); undefined where it is anything else.
 * Without an offset the instant would be a guess, so that is refused as well.
 */
export const parseInstant = (text: unknown): Instant | undefined => {
  if (typeof text !== "string") return undefined;
  const known = read.get(text);
  if (known !== undefined) return known;
  const instant = instantOf(text);
  if (instant === undefined) return undefined;
  if (read.size >= MOST_READ) read.clear();
  read.set(text, instant);
  return instant;
};

const instantOf = (text: string): Instant | undefined => {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6] ?? 0)];
  const [offsetHour, offsetMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  // Date.UTC would roll 31 February or 25:00 over into another day, and read years below 100 as 19xx.
  if (year < 100 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 18 || offsetMinute > 59) return undefined;
  const fraction = match[7] === undefined ? 0 : Number(match[7].slice(0, 3).padEnd(3, "0"));
  const offset = (offsetHour * 60 + offsetMinute) * 60_000;
  return Date.UTC(year, month - 1, day, hour, minute, second, fraction) - (match[8] === "-" ? -offset : offset);
};
