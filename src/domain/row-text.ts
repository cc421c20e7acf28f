import { canonicalJson, compare } from "./canonical.ts";
import type { Attributes, Instant, Sample } from "./sample.ts";

// The canonical JSON of rows, by what is known of their members: a pane writes it twice of every row, to compare and to
// store it, and sorting the same dozen of names each time took a quarter of all it did.

type Member = keyof Attributes | "received_at";

const MEMBERS: Record<Member, true> = {
  aggregated: true,
  batch_zone: true,
  bundle_id: true,
  count: true,
  created: true,
  device_class: true,
  door: true,
  flags: true,
  group_id: true,
  max: true,
  metadata: true,
  min: true,
  motion_context: true,
  product_type: true,
  received_at: true,
  sync_id: true,
  sync_version: true,
  synthetic: true,
  type: true,
  tz_source: true,
  unit_received: true,
  user_entered: true,
  value_received: true,
  zone_sent: true,
};
const HEADS = (Object.keys(MEMBERS) as Member[]).toSorted(compare).map((name) => [name, `,"${name}":`] as const);

/** Quoted names of sources, types, units …: few, and each on every row. */
const quotations = new Map<string, string>();
const REMEMBERED = 4096;

const quoted = (text: string): string => {
  const known = quotations.get(text);
  if (known !== undefined) return known;
  const written = JSON.stringify(text);
  if (quotations.size >= REMEMBERED) quotations.clear();
  quotations.set(text, written);
  return written;
};

const memberText = (value: unknown): string => {
  if (typeof value === "string") return quoted(value);
  return typeof value === "number" && Number.isFinite(value) ? `${value}` : canonicalJson(value);
};

/** `canonicalJson` of attributes, with the instant of arrival among them where it is given. */
export const attributesText = (attributes: Attributes, received_at?: Instant): string => {
  let text = "";
  let written = 0;
  for (const [name, head] of HEADS) {
    const value = name === "received_at" ? received_at : attributes[name];
    if (value === undefined) continue;
    text += head + memberText(value);
    written += 1;
  }
  // Members of no known name, or undefined ones: rows of another build.
  const all = Object.keys(attributes).length + (received_at === undefined ? 0 : 1);
  if (written !== all) return canonicalJson(received_at === undefined ? attributes : { ...attributes, received_at });
  return `{${text.slice(1)}}`;
};

/** `canonicalJson` of a row's members in the order in which `rows_hash` has always had them. */
export const rowText = (row: Sample): string =>
  `[${quoted(row.athlete_id)},"${row.sample_id}",${quoted(row.metric)},${row.start_at},${row.end_at},` +
  `${memberText(row.value)},${quoted(row.unit)},${quoted(row.source)},${memberText(row.device)},${quoted(row.tz)},` +
  `"${row.local_date}",${attributesText(row.attributes)},${row.received_at}]`;
