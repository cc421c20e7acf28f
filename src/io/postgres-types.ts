import { types } from "pg";
import { instantFromText } from "./postgres-time.ts";

const OID = { int8: 20, date: 1082, timestamp: 1114, timestamptz: 1184, numeric: 1700 } as const;
const ARRAY_OID = { text: 1009, int8: 1016, date: 1182, timestamptz: 1185, numeric: 1231, uuid: 2951 } as const;

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`an int8 does not fit a number exactly: ${text}`);
  return value;
};
const asIs = (text: string): string => text;

const textArray = types.getTypeParser(ARRAY_OID.text as number) as (text: string) => (string | null)[];
const arrayOf =
  (element: (text: string) => unknown) =>
  (text: string): unknown[] =>
    textArray(text).map((each) => (each === null ? null : element(each)));

const PARSERS = new Map<number, (text: string) => unknown>([
  [OID.int8, wholeNumber],
  [OID.numeric, Number],
  [OID.date, asIs],
  [OID.timestamptz, instantFromText],
  [ARRAY_OID.int8, arrayOf(wholeNumber)],
  [ARRAY_OID.numeric, arrayOf(Number)],
  [ARRAY_OID.date, arrayOf(asIs)],
  [ARRAY_OID.timestamptz, arrayOf(instantFromText)],
  [ARRAY_OID.uuid, arrayOf(asIs)],
]);

/**
 * How the Reader port shows values: timestamptz as milliseconds, date as `YYYY-MM-DD`, int8 and numeric as number.
 * `timestamp` without a zone is nowhere in our schema and refused, because it names no instant.
 */
export const typeParser = (oid: number, format?: "text" | "binary"): unknown => {
  if (oid === OID.timestamp) {
    return () => {
      throw new TypeError("timestamp without time zone names no instant: use timestamptz");
    };
  }
  const own = format === "binary" ? undefined : PARSERS.get(oid);
  return own ?? types.getTypeParser(oid, format);
};
