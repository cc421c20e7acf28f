import { createHash } from "node:crypto";

/** The auditor's own reading of healthkit.md D6, D10 and D11. Shares nothing with the product. */

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** RFC 9562 version 5. */
export const nameUuid = (namespace: string, name: string): string => {
  const bytes = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name, "utf8")
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const text = hex(bytes);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
};

const URL_NAMESPACE = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";
export const NAMESPACE = nameUuid(URL_NAMESPACE, "health-sync");

const second = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** D10, records of an export: `value` is named for dietary types and categories only, else empty. */
export const exportRecordId = (record: {
  athlete_id: string;
  metric: string;
  start_at: number;
  end_at: number;
  source: string;
  value: string;
  n: number;
}): string =>
  nameUuid(
    NAMESPACE,
    [
      record.athlete_id,
      record.metric,
      second(record.start_at),
      second(record.end_at),
      record.source,
      record.value,
      record.n,
    ].join("|"),
  );

/** D6: a copy that disagrees in start or end is a sample of its own. */
export const conflictingId = (sampleId: string, startAt: number, endAt: number): string =>
  nameUuid(NAMESPACE, [sampleId, new Date(startAt).toISOString(), new Date(endAt).toISOString()].join("|"));

export const plainName = (name: string): string => name.replaceAll(" ", " ").replaceAll("’", "'");

export type Origin = { name: string; bundle_id: string | null; product_type: string | null };

/** `bundleId|productType`, else the normalised name (healthkit.md §3, step 2). */
export const originKey = (origin: Origin): string =>
  origin.bundle_id === null ? plainName(origin.name) : `${origin.bundle_id}|${origin.product_type ?? ""}`;

const named = (name: string, words: string): boolean => new RegExp(`\\b(?:${words})\\b`, "i").test(name);

export type Device = "watch" | "ring" | "bed" | "phone" | "manual" | "app" | "device";

/** D11. */
export const deviceOf = (origin: Origin, userEntered: boolean): Device => {
  const product = origin.product_type ?? "";
  const unbundled = origin.bundle_id === null;
  if (userEntered) return "manual";
  if (product.startsWith("Watch") || (unbundled && named(origin.name, "watch"))) return "watch";
  if (named(origin.name, "oura|ring|whoop|garmin|fitbit|band")) return "ring";
  if (named(origin.name, "withings|eight sleep|bed")) return "bed";
  if (origin.bundle_id?.startsWith("com.apple.") || (unbundled && product.startsWith("iPhone"))) return "phone";
  return unbundled ? "device" : "app";
};

/** D6: SHA-256 of the JSON array [metric, start ms, end ms, value, unit, source_key]. */
export const contentDigest = (parts: readonly [string, number, number, number, string, string]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex");
