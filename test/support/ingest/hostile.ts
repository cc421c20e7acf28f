import { digest } from "../../../src/flow/digest.ts";
import { Problem } from "../../../src/flow/route.ts";
import type { BatchDecision } from "../../../src/ingest/decide.ts";

/** Bad values by what they stand in for, each with the reason that it must be refused for (D5). */
export type Bad = readonly (readonly [name: string, value: unknown, reason: RegExp])[];

const long = "x".repeat(100_000);
const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = { in: value };
  return value;
};
const BAD_TIME = /^bad_time$/;

export const TIMES: Bad = [
  ["nothing", null, BAD_TIME],
  ["empty text", "", BAD_TIME],
  ["words", "yesterday", BAD_TIME],
  ["a date alone", "2026-11-20", BAD_TIME],
  ["a time without offset", "2026-11-20T08:00:00", BAD_TIME],
  ["31 February", "2026-02-31T08:00:00Z", BAD_TIME],
  ["29 February of no leap year", "2025-02-29T08:00:00Z", BAD_TIME],
  ["month 13", "2026-13-01T08:00:00Z", BAD_TIME],
  ["hour 25", "2026-11-20T25:00:00Z", BAD_TIME],
  ["minute 61", "2026-11-20T08:61:00Z", BAD_TIME],
  ["a leap second", "2026-11-20T23:59:60Z", BAD_TIME],
  ["an offset of 99 h", "2026-11-20T08:00:00+99:00", BAD_TIME],
  ["the year 0", "0000-01-01T00:00:00Z", BAD_TIME],
  ["before 1970", "1901-01-01T00:00:00Z", BAD_TIME],
  ["the far future", "2099-01-01T00:00:00Z", /^(?:future|bad_time|end_before_start)$/],
  ["the end of time", "9999-12-31T23:59:59Z", BAD_TIME],
  ["a number", 1_795_240_800_000, BAD_TIME],
  ["a truth", true, BAD_TIME],
  ["a list", ["2026-11-20T08:00:00Z"], BAD_TIME],
  ["an object", { $date: "2026-11-20T08:00:00Z" }, BAD_TIME],
  ["a long text", long, BAD_TIME],
  ["a null character", "2026-11-20T08:00:00Z\u0000", BAD_TIME],
  ["other digits", "２０２６-11-20T08:00:00Z", BAD_TIME],
  ["half a surrogate", "\ud800", BAD_TIME],
];

/** In place of a heart rate. */
export const NUMBERS: Bad = [
  ["nothing", null, /^bad_value$/],
  ["text", "57", /^bad_value$/],
  ["empty text", "", /^bad_value$/],
  ["NaN in words", "NaN", /^bad_value$/],
  ["a list", [57], /^bad_value$/],
  ["an object", { qty: 57 }, /^bad_value$/],
  ["a truth", true, /^bad_value$/],
  ["zero", 0, /^out_of_range$/],
  ["negative zero", -0, /^out_of_range$/],
  ["less than nothing", -57, /^out_of_range$/],
  ["more than any heart", 301, /^out_of_range$/],
  ["the largest number", Number.MAX_VALUE, /^out_of_range$/],
  ["the smallest number", Number.MIN_VALUE, /^out_of_range$/],
  ["the largest exact integer", Number.MAX_SAFE_INTEGER, /^out_of_range$/],
];

/** In place of count/min. */
export const UNITS: Bad = [
  ["of a length", "km", /^bad_unit$/],
  ["of a mass", "kg", /^bad_unit$/],
  ["IU", "IU", /^bad_unit$/],
  ["another case", "COUNT/MIN", /^bad_unit$/],
  ["a space after", "count/min ", /^bad_unit$/],
  ["long", long, /^bad_unit$/],
  ["a null character", "count/min\u0000x", /^bad_unit$/],
  ["a name of every object", "constructor", /^bad_unit$/],
  ["__proto__", "__proto__", /^bad_unit$/],
];

/** In place of a whole entry. */
export const ENTRIES: Bad = [
  ["nothing", null, /^bad_value$/],
  ["a number", 7, /^bad_value$/],
  ["text", "x", /^bad_value$/],
  ["a list", [], /^bad_value$/],
  ["a truth", false, /^bad_value$/],
];

/** In place of a source's name. */
export const TEXTS: Bad = [
  ["a number", 7, /^bad_value$/],
  ["a list", ["Watch"], /^bad_value$/],
  ["an object", {}, /^bad_value$/],
  ["a truth", true, /^bad_value$/],
  ["over 256 KiB", "x".repeat(300_000), /^too_large$/],
];

/** In place of a type's name. */
export const TYPES: Bad = [
  ["nothing", null, /^unknown_type$/],
  ["empty text", "", /^unknown_type$/],
  ["a number", 7, /^unknown_type$/],
  ["a list", [], /^unknown_type$/],
  ["a name that is none", "HKQuantityTypeIdentifierTelepathy", /^unknown_type$/],
  ["__proto__", "__proto__", /^unknown_type$/],
  ["constructor", "constructor", /^unknown_type$/],
  ["a path", "../../etc/passwd", /^unknown_type$/],
  ["SQL", "'; drop table athletes; --", /^unknown_type$/],
  ["long", long, /^unknown_type$/],
];

export const DEEP = deep(60);
export const FAR_TOO_DEEP = deep(100_000);

/** What came of a body: a problem's status, or the one refusal that it must hold. */
export const fateOf = (decide: () => BatchDecision): { status: number; reasons: string[]; paths: string[] } => {
  try {
    const { answer, dead_letters } = decide();
    // I5, and what is kept of it can be encoded.
    if (dead_letters.length !== answer.rejected.length) throw new Error("a rejection is not a dead letter");
    if (new Set(dead_letters.map(({ id }) => id)).size !== dead_letters.length) throw new Error("two letters, one id");
    for (const { payload } of dead_letters) digest.sha256(Buffer.from(payload).toString());
    return {
      status: 202,
      reasons: answer.rejected.map(({ reason }) => reason),
      paths: answer.rejected.map(({ path }) => path),
    };
  } catch (error) {
    if (error instanceof Problem)
      return { status: error.status, reasons: [], paths: error.errors.map(({ path }) => path) };
    throw error;
  }
};

export type Case = readonly [name: string, body: unknown, path: string, reason: RegExp];

/** A table's cases from a list of bad values and what to put them into. */
export const casesOf = (what: string, bad: Bad, path: string, put: (value: unknown) => unknown): Case[] =>
  bad.map(([name, value, reason]) => [`${what}: ${name}`, put(value), path, reason]);
