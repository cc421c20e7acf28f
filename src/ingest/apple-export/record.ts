import { metricOfType } from "../../domain/catalogue.ts";
import type { ExportRecord } from "./document.ts";

/** A sample of the native batch, as an export record gives it. `uuid` is added once its number is known (D10). */
export type NativeSample = {
  uuid: string | null;
  type: string;
  start: string;
  end: string;
  created: string | undefined;
  value: number | string | null;
  unit: string | null;
  source: { name: string | null; product_type: string | null; device: string | null };
  metadata: Record<string, string | number>;
  group_id?: string;
};

const SPACED = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:?\d\d$/;
const COMPACT = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([+-]\d\d)(\d\d)$/;

/**
 * `2024-01-01 08:00:00 +0200`, or 2014's `20140104084300-0800`, as ISO 8601; anything else unchanged, to be refused
 * with its reason. The offset is the phone's at export time: part of the instant, never evidence of a zone (D4).
 */
export const isoOfAppleDate = (text: string): string => {
  if (SPACED.test(text)) return `${text.slice(0, 10)}T${text.slice(11, 19)}${text.slice(20, 23)}:${text.slice(-2)}`;
  const c = COMPACT.exec(text);
  return c ? `${c[1]}-${c[2]}-${c[3]}T${c[4]}:${c[5]}:${c[6]}${c[7]}:${c[8]}` : text;
};

const DEVICE_FIELD =
  /(?:^|, )(name|manufacturer|model|hardware|firmware|software|localIdentifier|FDA UDI|creation date):/;

type Device = { device: string | null; product_type: string | null };

/** Devices of a person are few, and each of a million rows names one: by the text without its address. */
const known = new Map<string, Device>();
const MOST_KNOWN = 1000;
const ADDRESS = /^<+HKDevice: 0x[0-9a-f]+>,? ?/i;

/**
 * `<<HKDevice: 0x282a45810>, name:Apple Watch, model:Watch, hardware:Watch2,4, …>`: the model, and the hardware as
 * product type. The address differs on every row and is left out.
 */
export const readDevice = (text: string | undefined): Device => {
  const inner = text?.replace(ADDRESS, "") ?? "";
  const found = known.get(inner);
  if (found !== undefined) return found;
  // A copy: what is cut out of a piece of the file would keep all of that piece in memory.
  const copy = Buffer.from(inner).toString();
  const device = deviceOf(copy);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(copy, device);
  return device;
};

const deviceOf = (inner: string): Device => {
  const parts = inner.replace(/>$/, "").split(DEVICE_FIELD);
  const field = (name: string): string | null => {
    const at = parts.findIndex((part, index) => index % 2 === 1 && part === name);
    return (at < 0 ? "" : parts[at + 1]?.trim()) || null;
  };
  return { device: field("model"), product_type: field("hardware") };
};

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

const readNumber = (text: string | undefined): number | string | null => {
  if (text === undefined || text === "") return null;
  return NUMBER.test(text) ? Number(text) : text;
};

const WORKOUT = "HKWorkoutTypeIdentifier";

/** What a Workout says of itself, kept as metadata: of a workout we use the interval. */
const WORKOUT_FIELDS = [
  "workoutActivityType",
  "duration",
  "durationUnit",
  "totalDistance",
  "totalDistanceUnit",
  "totalEnergyBurned",
  "totalEnergyBurnedUnit",
] as const;

const CONDENSED = ["recordCount"];

/**
 * The type as the catalogue knows it: a Workout element has none of its own. In the catalogue's own text, which is found
 * again faster than what was cut out of the file.
 */
export const typeOf = ({ element, attributes }: ExportRecord): string => {
  if (element === "Workout") return WORKOUT;
  const sent = attributes["type"] ?? "";
  const known = metricOfType(sent)?.type;
  return known === sent ? known : sent;
};

const NO_METADATA: NativeSample["metadata"] = Object.freeze({});

const metadataOf = (
  { attributes: sent, metadata }: ExportRecord,
  fields: readonly string[],
): NativeSample["metadata"] => {
  const entries: (readonly [string, string])[] = [];
  for (const name of fields) {
    const text = sent[name];
    if (text !== undefined) entries.push([name, text]);
  }
  // Not by assignment: a key may be `__proto__`.
  return entries.length + metadata.length === 0 ? NO_METADATA : Object.fromEntries([...entries, ...metadata]);
};

/** The last source, with what it was made of: a million rows name a few, which stand in runs. */
let last: { name: string | undefined; device: string | undefined; source: NativeSample["source"] } | null = null;

/** Rows of one source share one object, so that whoever reads them need not read it again. */
const sourceOf = (name: string | undefined, device: string | undefined): NativeSample["source"] => {
  if (last === null || last.name !== name || last.device !== device)
    last = { name, device, source: Object.freeze({ name: name ?? null, ...readDevice(device) }) };
  return last.source;
};

/** One `Record` or `Workout` of an export.xml as a native sample. */
export const nativeSample = (record: ExportRecord, type = typeOf(record)): NativeSample => {
  const { attributes: sent } = record;
  const start = isoOfAppleDate(sent["startDate"] ?? "");
  return {
    uuid: null,
    type,
    start,
    end: sent["endDate"] === sent["startDate"] ? start : isoOfAppleDate(sent["endDate"] ?? ""),
    created: sent["creationDate"] === undefined ? undefined : isoOfAppleDate(sent["creationDate"]),
    value: readNumber(sent["value"]),
    unit: sent["unit"] ?? null,
    // Exports of 2014 call the source's name `source` and condense an hour into one row of `recordCount` samples.
    source: sourceOf(sent["sourceName"] ?? sent["source"], sent["device"]),
    metadata: metadataOf(record, record.element === "Workout" ? WORKOUT_FIELDS : CONDENSED),
  };
};
