import type { Instant } from "./sample.ts";
import { DAY } from "./local-day.ts";

/** Why a sample is refused (D5). `missing_uuid` is the native door's, the topic's own reasons are the codec's. */
export type RefusalReason =
  | "bad_uuid"
  | "unknown_type"
  | "bad_time"
  | "end_before_start"
  | "too_long"
  | "future"
  | "bad_value"
  | "bad_unit"
  | "out_of_range"
  | "too_large"
  | "too_deep";

/** The member of a native batch's sample that is at fault; a door that names it otherwise maps it. */
export type RefusedField =
  | "uuid"
  | "type"
  | "start"
  | "end"
  | "date"
  | "created"
  | "received_at"
  | "value"
  | "unit"
  | "time_zone"
  | "metadata";

/** `detail` says what would be right, and holds no health value. */
export type Refusal = { kind: "dead"; reason: RefusalReason; field: RefusedField; detail: string };

export const refuse = (reason: RefusalReason, field: RefusedField, detail: string): Refusal => ({
  kind: "dead",
  reason,
  field,
  detail,
});

/** A unit as it may be quoted in a detail: a client may send anything in its place. */
export const quoted = (text: string | null): string =>
  text === null ? "none" : JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

const EARLIEST: Instant = 0;
const LATEST: Instant = Date.UTC(2100, 0, 1);

/** HealthKit began in 2014 and imports reach back some decades: what lies outside 1970–2099 is a broken clock or unit. */
export const isPlausible = (at: Instant): boolean => Number.isInteger(at) && at >= EARLIEST && at < LATEST;

/** Start, end, and what they may be relative to each other and to the arrival (D5). */
export const refuseTimes = (start_at: Instant, end_at: Instant, received_at: Instant): Refusal | undefined => {
  const when = "a time between 1970-01-01 and 2099-12-31";
  if (!isPlausible(received_at)) return refuse("bad_time", "received_at", `received_at must be ${when}`);
  if (!isPlausible(start_at)) return refuse("bad_time", "start", `start must be ${when}`);
  if (!isPlausible(end_at)) return refuse("bad_time", "end", `end must be ${when}`);
  if (end_at < start_at) return refuse("end_before_start", "end", "end must not be before start");
  if (start_at > received_at + DAY)
    return refuse("future", "start", "start lies over 24 h after the sample was received: check the clock");
  if (end_at - start_at > 4 * DAY) return refuse("too_long", "end", "a sample may last 4 days at most");
  return undefined;
};
