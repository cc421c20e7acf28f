import type { Instant } from "../domain/sample.ts";

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const daysIn = (year: number, month: number): number => {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
};

/** Beyond every field's range. */
const NO_NUMBER = 10_000;
const MOST_FRACTION = 12;

const digitAt = (text: string, at: number): number => text.charCodeAt(at) - 48;
const isDigit = (digit: number): boolean => digit >= 0 && digit <= 9;

const twoAt = (text: string, at: number): number => {
  const tens = digitAt(text, at);
  const ones = digitAt(text, at + 1);
  return isDigit(tens) && isDigit(ones) ? tens * 10 + ones : NO_NUMBER;
};

/** Ms east of UTC of the `Z`, `+hh:mm` or `+hhmm` that ends the text at `at`; undefined where it is anything else. */
const offsetAt = (text: string, at: number): number | undefined => {
  const mark = text[at];
  if (mark === "Z" || mark === "z") return text.length === at + 1 ? 0 : undefined;
  if (mark !== "+" && mark !== "-") return undefined;
  const colon = text[at + 3] === ":" ? 1 : 0;
  const hours = twoAt(text, at + 1);
  const minutes = twoAt(text, at + 3 + colon);
  if (text.length !== at + 5 + colon || hours > 18 || minutes > 59) return undefined;
  const size = (hours * 60 + minutes) * 60_000;
  return mark === "-" ? -size : size;
};

/** Where the digits of a fraction end that begin at `at`. */
const afterDigits = (text: string, at: number): number => {
  let end = at;
  while (isDigit(digitAt(text, end))) end += 1;
  return end;
};

/** What stands behind the minute: seconds with a fraction, which may be absent, and the offset. Ms; the offset taken off. */
const restAt = (text: string, at: number): number | undefined => {
  let end = at;
  let ms = 0;
  if (text[at] === ":") {
    const second = twoAt(text, at + 1);
    if (second > 59) return undefined;
    ms = second * 1000;
    end = at + 3;
    if (text[end] === "." || text[end] === ",") {
      const from = end + 1;
      end = afterDigits(text, from);
      if (end === from || end - from > MOST_FRACTION) return undefined;
      ms += Number(text.slice(from, Math.min(end, from + 3)).padEnd(3, "0"));
    }
  }
  const offset = offsetAt(text, end);
  return offset === undefined ? undefined : ms - offset;
};

/**
 * ISO 8601 with an offset, kept to the millisecond (further digits are cut off); undefined where it is anything else.
 * Without an offset the instant would be a guess, so that is refused as well. Read by hand: an import reads millions.
 */
export const parseInstant = (text: unknown): Instant | undefined => {
  if (typeof text !== "string" || text.length < 17) return undefined;
  if (text[4] !== "-" || text[7] !== "-" || (text[10] !== "T" && text[10] !== "t") || text[13] !== ":")
    return undefined;
  const century = twoAt(text, 0);
  const year = century * 100 + twoAt(text, 2);
  const month = twoAt(text, 5);
  const day = twoAt(text, 8);
  const hour = twoAt(text, 11);
  const minute = twoAt(text, 14);
  // Date.UTC would roll 31 February or 25:00 over into another day, and read years below 100 as 19xx.
  if (century < 1 || year > 9999 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59) return undefined;
  const rest = restAt(text, 16);
  return rest === undefined ? undefined : Date.UTC(year, month - 1, day, hour, minute) + rest;
};
