import type { Instant } from "../domain/sample.ts";

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?(?:Z|([+-])(\d\d):?(\d\d))$/i;

/**
 * ISO 8601 with an offset, kept to the millisecond (further digits are cut off); undefined where it is anything else.
 * Without an offset the instant would be a guess, so that is refused as well.
 */
export const parseInstant = (text: unknown): Instant | undefined => {
  const match = typeof text === "string" ? ISO.exec(text) : null;
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const fraction = Number((match[7] ?? "").slice(0, 3).padEnd(3, "0"));
  const local = Date.UTC(part(1), part(2) - 1, part(3), part(4), part(5), part(6), fraction);
  // Date.UTC rolls 31 February or 25:00 over into another day, and reads years below 100 as 19xx.
  const written = `${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6] ?? "00"}`;
  if (!new Date(local).toISOString().startsWith(written)) return undefined;
  if (part(9) > 18 || part(10) > 59) return undefined;
  const offset = (part(9) * 60 + part(10)) * 60_000;
  return local - (match[8] === "-" ? -offset : offset);
};
