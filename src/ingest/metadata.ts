import type { SentSample } from "../domain/sample.ts";
import { isZone } from "../domain/local-day.ts";
import { storable } from "../domain/source.ts";
import { storableJson } from "./json-bounds.ts";

type Known = Pick<SentSample, "time_zone" | "user_entered" | "sync_id" | "sync_version" | "metadata">;

/** Both spellings occur: HealthKit's own (`HKTimeZone`) and the constant's name (`HKMetadataKeyTimeZone`). */
const spellings = (name: string): readonly string[] => [`HK${name}`, `HKMetadataKey${name}`];

const KEYS = {
  time_zone: spellings("TimeZone"),
  user_entered: spellings("WasUserEntered"),
  sync_id: spellings("SyncIdentifier"),
  sync_version: spellings("SyncVersion"),
};

const OWN: ReadonlySet<string> = new Set(Object.values(KEYS).flat());

type Rest = Record<string, unknown>;

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const asInteger = (value: unknown): number | null => {
  const number = isText(value) && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : null;
};

/** Takes the first usable spelling out of `rest`; what is not usable stays there, as sent. */
const take = <T>(rest: Rest, keys: readonly string[], read: (value: unknown) => T | null): T | null => {
  for (const key of keys) {
    const value = Object.hasOwn(rest, key) ? read(rest[key]) : null;
    if (value === null) continue;
    delete rest[key];
    return value;
  }
  return null;
};

/** JSON writes as escapes what no store takes (`storable`): a text without any needs no copy. */
const textOf = (rest: Rest): string | null => {
  const text = JSON.stringify(rest);
  if (text === "{}") return null;
  return /\\u(?:0000|d[89a-f])/.test(text) ? JSON.stringify(storableJson(rest)) : text;
};

const readFlag = (value: unknown): boolean | null => {
  if (value === 1 || value === true || value === "1") return true;
  return value === 0 || value === false || value === "0" ? false : null;
};

const NONE: Known = { time_zone: null, user_entered: false, sync_id: null, sync_version: null, metadata: null };

/**
 * The metadata that have fields of their own, and the rest as JSON. `HKTimeZone` goes before the sample's own zone (D4);
 * `sentZone` is what the client wrote in the sample's `time_zone`.
 */
export const readMetadata = (metadata: Rest, sentZone: string | null): Known => {
  const keys = Object.keys(metadata);
  if (keys.length === 0) return { ...NONE, time_zone: sentZone };
  const rest = keys.some((key) => OWN.has(key)) ? { ...metadata } : metadata;
  const zone = take(rest, KEYS.time_zone, (value) => (isText(value) && isZone(value) ? value : null));
  const userEntered = take(rest, KEYS.user_entered, readFlag);
  const syncId = take(rest, KEYS.sync_id, (value) => (isText(value) ? storable(value) : null));
  const syncVersion = take(rest, KEYS.sync_version, asInteger);
  return {
    time_zone: zone ?? sentZone,
    user_entered: userEntered ?? false,
    sync_id: syncId,
    sync_version: syncVersion,
    metadata: textOf(rest),
  };
};
