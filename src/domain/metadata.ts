import { storable } from "./source.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a sample's metadata says about it. `rest` is what no other field holds, as sent; undefined where nothing is left. */
export type Metadata = {
  time_zone: string | null;
  user_entered: boolean;
  motion_context: number | null;
  sync_id: string | null;
  sync_version: number | null;
  rest: Record<string, unknown> | undefined;
};

export type MetadataFault = { reason: "bad_value" | "too_large" | "too_deep"; detail: string };

const MAX_LENGTH = 256 * 1024;
const MAX_DEPTH = 32;

const NONE: Metadata = {
  time_zone: null,
  user_entered: false,
  motion_context: null,
  sync_id: null,
  sync_version: null,
  rest: undefined,
};

/** A HealthKit key in both spellings: exports write `HKMetadataKeySyncVersion`, apps `HKSyncVersion`. */
type Key = readonly [app: string, exported: string];
const key = (name: string): Key => [`HK${name}`, `HKMetadataKey${name}`];

const TIME_ZONE = key("TimeZone");
const USER_ENTERED = key("WasUserEntered");
const MOTION_CONTEXT = key("HeartRateMotionContext");
const SYNC_ID = key("SyncIdentifier");
const SYNC_VERSION = key("SyncVersion");

const lookUp = (all: Record<string, Json>, [app, exported]: Key): Json | undefined => all[app] ?? all[exported];

const asText = (value: Json | undefined): string | null =>
  typeof value === "string" || typeof value === "number" ? storable(String(value)) : null;

const asInteger = (value: Json | undefined): number | null => {
  const text = asText(value);
  if (text === null || !/^-?\d{1,15}(?:\.0*)?$/.test(text)) return null;
  return Number(text) + 0;
};

const isTrue = (value: Json | undefined): boolean =>
  value === true || asInteger(value) === 1 || (typeof value === "string" && /^(?:true|yes)$/i.test(value));

/** A copy that every store takes, null where it is nested deeper than `depth`. */
const storableJson = (value: Json, depth: number): { value: Json } | null => {
  if (typeof value === "string") return { value: storable(value) };
  if (typeof value !== "object" || value === null) return { value };
  if (depth === 0) return null;
  const entries: [string, Json][] = [];
  for (const [key, child] of Object.entries(value)) {
    const copy = storableJson(child, depth - 1);
    if (copy === null) return null;
    entries.push([storable(key), copy.value]);
  }
  return { value: Array.isArray(value) ? entries.map(([, child]) => child) : Object.fromEntries(entries) };
};

const parse = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

const motionContext = (value: Json | undefined): number | null => {
  const context = asInteger(value);
  return context !== null && context >= 0 && context <= 2 ? context : null;
};

/** Most samples say one of few things (a motion context, a zone): that is read once. What is remembered is frozen. */
const MOST_KNOWN = 1024;
const LONGEST_KNOWN = 128;
const known = new Map<string, Metadata | MetadataFault>();

/**
 * Reads a sample's metadata, a JSON object or null. Keys that become a field of their own leave `rest`, except the
 * time zone, which is evidence and stays as it was sent. The answer is shared: it must not be changed.
 */
export const readMetadata = (text: string | null): Metadata | MetadataFault => {
  if (text === null || text === "") return NONE;
  if (text.length > LONGEST_KNOWN) return readText(text);
  const before = known.get(text);
  if (before !== undefined) return before;
  const read = frozen(readText(text));
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, read);
  return read;
};

const frozen = <Value>(value: Value): Value => {
  if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
};

const readText = (text: string): Metadata | MetadataFault => {
  if (text.length > MAX_LENGTH) return { reason: "too_large", detail: "metadata is over 256 KiB" };
  const parsed = parse(text);
  if (parsed === undefined || parsed === null || typeof parsed !== "object" || Array.isArray(parsed))
    return { reason: "bad_value", detail: "metadata is not a JSON object" };
  const copy = storableJson(parsed, MAX_DEPTH);
  if (copy === null) return { reason: "too_deep", detail: `metadata is nested deeper than ${MAX_DEPTH} levels` };
  const all = copy.value as Record<string, Json>;
  const read = {
    time_zone: asText(lookUp(all, TIME_ZONE)),
    user_entered: isTrue(lookUp(all, USER_ENTERED)),
    motion_context: motionContext(lookUp(all, MOTION_CONTEXT)),
    sync_id: asText(lookUp(all, SYNC_ID)),
    sync_version: asInteger(lookUp(all, SYNC_VERSION)),
  };
  const lift = ([app, exported]: Key): void => {
    delete all[app];
    delete all[exported];
  };
  if (read.user_entered) lift(USER_ENTERED);
  if (read.motion_context !== null) lift(MOTION_CONTEXT);
  if (read.sync_id !== null) lift(SYNC_ID);
  if (read.sync_version !== null) lift(SYNC_VERSION);
  return { ...read, rest: Object.keys(all).length === 0 ? undefined : all };
};
