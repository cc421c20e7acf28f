import type { DeviceClass, Sample } from "./sample.ts";

/**
 * Text that every store takes: Postgres refuses U+0000 in text and unpaired surrogates in jsonb, and one such
 * string from a foreign producer must not stop a topic partition.
 */
export const storable = (text: string): string =>
  text.isWellFormed() && !text.includes("\0") ? text : text.replaceAll("\0", "").toWellFormed();

/** U+00A0 becomes a space, U+2019 becomes ': the same device writes its name with either. */
export const normaliseSource = (name: string): string =>
  storable(name).replaceAll("\u00a0", " ").replaceAll("\u2019", "'");

/** `bundle|product`, or the normalised name where the client sends no bundle (healthkit.md §3.2). */
export const sourceKey = (bundle_id: string | null, product_type: string | null, source_name: string): string =>
  bundle_id === null || bundle_id === "" ? normaliseSource(source_name) : `${bundle_id}|${product_type ?? ""}`;

export const sourceKeyOf = (sample: Sample): string =>
  sourceKey(sample.attributes.bundle_id ?? null, sample.attributes.product_type ?? null, sample.source);

const saying = (names: string): RegExp => new RegExp(`(?<![\\p{L}\\p{N}])(?:${names})(?![\\p{L}\\p{N}])`, "iu");
const WATCH = saying("watch");
const RING = saying("oura|ring|whoop|garmin|fitbit|band");
const BED = saying("withings|eight sleep|bed");

export type Origin = {
  bundle_id: string | null;
  product_type: string | null;
  /** Normalised source name. */
  source: string;
  user_entered: boolean;
};

/** D11. Names match whole words in any case (D20); the first rule that fits decides, in the order of D11. */
export const deviceClass = ({ bundle_id, product_type, source, user_entered }: Origin): DeviceClass => {
  const bundle = bundle_id ?? "";
  const product = product_type ?? "";
  if (user_entered) return "manual";
  if (product.startsWith("Watch") || (bundle === "" && WATCH.test(source))) return "watch";
  if (RING.test(source)) return "ring";
  if (BED.test(source)) return "bed";
  if (bundle.startsWith("com.apple.") || (bundle === "" && product.startsWith("iPhone"))) return "phone";
  return bundle === "" ? "device" : "app";
};
