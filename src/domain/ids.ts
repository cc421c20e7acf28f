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

/** Two hexadecimal digits a byte. Ids are made by the million, so this is written for speed. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

const textOf = (bytes: Uint8Array): string => {
  let text = "";
  for (let at = 0; at < 16; at += 1) {
    if (at === 4 || at === 6 || at === 8 || at === 10) text += "-";
    text += HEX[bytes[at] as number] as string;
  }
  return text;
};

const encoder = new TextEncoder();
const OURS = bytesOf(NAMESPACE);

/** Name-based UUID, version 5 (RFC 9562 §5.5), lower case. `namespace` is a UUID, `name` is hashed as UTF-8. */
export const uuid5 = (namespace: string, name: string, digest: Digest): string => {
  const text = encoder.encode(name);
  const input = new Uint8Array(16 + text.length);
  input.set(namespace === NAMESPACE ? OURS : bytesOf(namespace));
  input.set(text, 16);
  const hash = Uint8Array.from(digest.sha1(input));
  hash.set([((hash[6] as number) & 0x0f) | 0x50], 6);
  hash.set([((hash[8] as number) & 0x3f) | 0x80], 8);
  return textOf(hash);
};

/** `YYYY-MM-DDTHH:MM:SSZ`: an export drops the milliseconds. An instant that no Date can hold is written as a number. */
const second = (at: Instant): string => {
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

const stem = (parts: AggregateParts): string =>
  [parts.athlete_id, parts.metric, second(parts.start_at), second(parts.end_at), parts.source].join("|");

/** Id of a record that its client sent without one (D10). */
export const recordId = (parts: RecordParts, digest: Digest): string =>
  uuid5(NAMESPACE, `${stem(parts)}|${parts.value === null ? "" : shortest.format(parts.value)}|${parts.n}`, digest);

/** Id of an aggregate (a Health Auto Export point): no value in it, so that a re-sent window replaces (D10). */
export const aggregateId = (parts: AggregateParts, digest: Digest): string => uuid5(NAMESPACE, stem(parts), digest);
