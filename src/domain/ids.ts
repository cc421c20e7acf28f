import { DAY, fromEpochDay } from "./local-day.ts";
import { isPlausible } from "./refusal.ts";
import type { Digest, Instant } from "./sample.ts";

/** Namespace N of every id made here (D10): uuid5(URL namespace, "health-sync"). */
export const NAMESPACE = "6703f487-0d54-536b-a419-9cae3e41adbe";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const ATHLETE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Any case: HealthKit writes upper case. Ids are stored and compared in lower case. */
export const isUuid = (text: string): boolean => UUID.test(text);

export const isAthleteId = (text: string): boolean => ATHLETE_ID.test(text);

const bytesOf = (uuid: string): Uint8Array => {
  const digits = uuid.replaceAll("-", "");
  return Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16));
};

const encoder = new TextEncoder();
/** The namespace with a name behind it: ids are made by the million, most of short names under the one namespace. */
const ours = new Uint8Array(1024);
ours.set(bytesOf(NAMESPACE));

const named = (namespace: string, name: string): Uint8Array => {
  // UTF-8 takes 3 bytes at most for each unit of a text.
  if (namespace === NAMESPACE && 16 + 3 * name.length <= ours.length)
    return ours.subarray(0, 16 + encoder.encodeInto(name, ours.subarray(16)).written);
  const text = encoder.encode(name);
  const input = new Uint8Array(16 + text.length);
  input.set(bytesOf(namespace));
  input.set(text, 16);
  return input;
};

/** The two highest bits of a digit become 10: the variant of RFC 9562. */
const variant = (digit: string): string => ((Number.parseInt(digit, 16) & 3) | 8).toString(16);

/** Name-based UUID, version 5 (RFC 9562 §5.5), lower case. `namespace` is a UUID, `name` is hashed as UTF-8. */
export const uuid5 = (namespace: string, name: string, digest: Digest): string => {
  const hex = digest.sha1(named(namespace, name));
  const rest = `${variant(hex.slice(16, 17))}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${rest}`;
};

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));
const MINUTES = Array.from({ length: 1440 }, (_, n) => `T${two(Math.floor(n / 60))}:${two(n % 60)}:`);
const SECONDS = Array.from({ length: 60 }, (_, n) => `${two(n)}Z`);

/** `YYYY-MM-DDTHH:MM:SSZ`: an export drops the milliseconds. An instant that no Date can hold is written as a number. */
const second = (at: Instant): string => {
  if (isPlausible(at)) {
    const day = Math.floor(at / DAY);
    const s = Math.floor((at - day * DAY) / 1000);
    return `${fromEpochDay(day)}${MINUTES[Math.floor(s / 60)]}${SECONDS[s % 60]}`;
  }
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : `${date.toISOString().slice(0, -5)}Z`;
};

/** 3 significant digits as the shortest decimal, never with an exponent: 0.00000012, not 1.2e-7. */
const shortest = new Intl.NumberFormat("en", {
  maximumSignificantDigits: 3,
  useGrouping: false,
  signDisplay: "negative",
});

export type AggregateParts = {
  athlete_id: string;
  metric: string;
  start_at: Instant;
  end_at: Instant;
  /** Normalised source name. */
  source: string;
};

/**
 * `value` in the canonical unit for dietary types and categories, null for all others (display units change between
 * exports). `n` counts 0, 1, … in order of value among equal keys of one import.
 */
export type RecordParts = AggregateParts & { value: number | null; n: number };

const stem = ({ athlete_id, metric, start_at, end_at, source }: AggregateParts): string => {
  const start = second(start_at);
  return `${athlete_id}|${metric}|${start}|${start_at === end_at ? start : second(end_at)}|${source}`;
};

/** Id of a record that its client sent without one (D10). */
export const recordId = (parts: RecordParts, digest: Digest): string =>
  uuid5(NAMESPACE, `${stem(parts)}|${parts.value === null ? "" : shortest.format(parts.value)}|${parts.n}`, digest);

/** Id of an aggregate (a Health Auto Export point): no value in it, so that a re-sent window replaces (D10). */
export const aggregateId = (parts: AggregateParts, digest: Digest): string => uuid5(NAMESPACE, stem(parts), digest);
