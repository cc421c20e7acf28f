import { storable } from "../domain/source.ts";

/** Nesting that a sample may have; HealthKit's own metadata is flat. */
export const MAX_DEPTH = 32;

/** True where `value` nests deeper than `limit` levels. Looks no deeper than that, so depth cannot break it. */
export const deeperThan = (value: unknown, limit: number): boolean => {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  // Its own members and no list of them: what JSON holds inherits none.
  for (const key in value) {
    if (deeperThan((value as Record<string, unknown>)[key], limit - 1)) return true;
  }
  return false;
};

/** `storable` for every string inside: rows that Postgres takes. Not for values deeper than MAX_DEPTH. */
export const storableJson = (value: unknown): unknown => {
  if (typeof value === "string") return storable(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storable(key), storableJson(inner)]));
};
