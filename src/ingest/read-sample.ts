import type { SentSample, SentSeries } from "../domain/sample.ts";
import { isKnownType, metricOfType, type MetricDefinition } from "../domain/catalogue.ts";
import { isUuid } from "../domain/ids.ts";
import { sentValue, valueHint } from "../domain/measure.ts";
import { storable } from "../domain/source.ts";
import { deeperThan, MAX_DEPTH } from "./json-bounds.ts";
import { readMetadata } from "./metadata.ts";
import { parseInstant } from "./time-text.ts";

export type SeriesHead = Omit<SentSeries, "samples">;

/** `field` is the path below the entry: `value`, `source.name`, or empty for the entry itself. */
export type Refused = { kind: "dead"; reason: string; field: string; detail: string };

export type ReadSample =
  | { kind: "ok"; head: SeriesHead; sample: SentSample }
  /** A type that Apple documents and we do not use: counted, no dead letter. */
  | { kind: "ignored"; type: string }
  | Refused;

export const refused = (reason: string, field: string, detail: string): Refused => ({
  kind: "dead",
  reason,
  field,
  detail,
});

type Entry = Readonly<Record<string, unknown>>;

export const isEntry = (value: unknown): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The type's fate. Decided first: a type that we ignore is not looked at any further. */
export const readType = (
  entry: Entry,
): { kind: "ok"; type: string; definition: MetricDefinition } | { kind: "ignored"; type: string } | Refused => {
  const type = entry["type"];
  if (typeof type !== "string") return refused("unknown_type", "type", "must be a HealthKit type identifier");
  const definition = metricOfType(type);
  if (definition) return { kind: "ok", type, definition };
  if (isKnownType(type)) return { kind: "ignored", type };
  return refused("unknown_type", "type", "is not a HealthKit type identifier that Apple documents");
};

export const readUuid = (entry: Entry): { kind: "ok"; uuid: string } | Refused => {
  const uuid = entry["uuid"];
  if (uuid === undefined || uuid === null || uuid === "") {
    return refused("missing_uuid", "uuid", "every sample needs the uuid that HealthKit gave it");
  }
  if (typeof uuid === "string" && isUuid(uuid)) return { kind: "ok", uuid: uuid.toLowerCase() };
  return refused("bad_uuid", "uuid", "must be a UUID: 8-4-4-4-12 hexadecimal digits");
};

const optionalText = (value: unknown): string | null | undefined => {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? storable(value) : undefined;
};

const SOURCE_FIELDS = ["name", "bundle_id", "product_type", "device"] as const;

type ReadHead = { kind: "ok"; head: SeriesHead } | Refused;
type HeadOf = { source: Entry; sentUnit: unknown; type: string; door: string };

const headOf = ({ source, sentUnit, type, door }: HeadOf): ReadHead => {
  for (const field of SOURCE_FIELDS) {
    if (optionalText(source[field]) === undefined) return refused("bad_value", `source.${field}`, "must be text");
  }
  const unit = optionalText(sentUnit);
  if (unit === undefined) return refused("bad_unit", "unit", "must be text");
  const text = (field: (typeof SOURCE_FIELDS)[number]): string | null => optionalText(source[field]) || null;
  return {
    kind: "ok",
    head: {
      type,
      unit: unit === "" ? null : unit,
      source_name: text("name"),
      bundle_id: text("bundle_id"),
      product_type: text("product_type"),
      device: text("device"),
      door,
    },
  };
};

/** The last head of a frozen source: an import shares one object among all samples of a source, which stand in runs. */
let last: (HeadOf & { read: ReadHead }) | null = null;

const readHead = (entry: Entry, type: string, door: string): ReadHead => {
  const source = entry["source"] ?? {};
  if (!isEntry(source)) return refused("bad_value", "source", "must be an object with a name");
  const sentUnit = entry["unit"];
  if (last?.source === source && last.sentUnit === sentUnit && last.type === type && last.door === door)
    return last.read;
  const of = { source, sentUnit, type, door };
  const read = headOf(of);
  if (Object.isFrozen(source)) last = { ...of, read };
  return read;
};

const OFFSET_HINT = "must be ISO 8601 with an offset, like 2026-11-21T06:00:00Z";

type Times = Pick<SentSample, "start_at" | "end_at" | "created">;

const readTimes = (entry: Entry): { kind: "ok"; times: Times } | Refused => {
  const start = parseInstant(entry["start"]);
  if (start === undefined) return refused("bad_time", "start", OFFSET_HINT);
  const end = parseInstant(entry["end"]);
  if (end === undefined) return refused("bad_time", "end", OFFSET_HINT);
  const sent = entry["created"] ?? null;
  const created = sent === null ? null : parseInstant(sent);
  if (created === undefined) return refused("bad_time", "created", OFFSET_HINT);
  return { kind: "ok", times: { start_at: start, end_at: end, created } };
};

/**
 * `synthetic`: every uuid was made by us. `converted`: the entries were written by a door's own code, so what they say
 * of themselves (synthetic, aggregated, minimum and maximum) is ours; a client's word for it is not taken.
 */
export type SampleDoor = { name: string; synthetic: boolean; converted?: boolean };

const finiteOrNull = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

type Marks = Pick<SentSample, "synthetic" | "count" | "min" | "max" | "aggregated">;

const readMarks = (entry: Entry, door: SampleDoor): Marks => {
  if (!door.converted) return { synthetic: door.synthetic, count: null, min: null, max: null, aggregated: false };
  return {
    synthetic: entry["synthetic"] === true,
    count: null,
    min: finiteOrNull(entry["min"]),
    max: finiteOrNull(entry["max"]),
    aggregated: entry["aggregated"] === true,
  };
};

/** One sample of a native batch as the Avro record holds it: what was sent, checked only as far as its shape. */
export const readSample = (entry: unknown, door: SampleDoor): ReadSample => {
  if (!isEntry(entry)) return refused("bad_value", "", "must be an object");
  const type = readType(entry);
  if (type.kind !== "ok") return type;
  if (deeperThan(entry, MAX_DEPTH)) return refused("too_deep", "metadata", `may nest ${MAX_DEPTH} levels at most`);
  const times = readTimes(entry);
  if (times.kind !== "ok") return times;
  const metadata = entry["metadata"] ?? {};
  if (!isEntry(metadata)) return refused("bad_value", "metadata", "must be an object");
  const value = sentValue(type.definition, entry["value"], metadata);
  if (value === undefined) return refused("bad_value", "value", valueHint(type.definition));
  const uuid = readUuid(entry);
  if (uuid.kind !== "ok") return uuid;
  const head = readHead(entry, type.type, door.name);
  if (head.kind !== "ok") return head;
  const zone = entry["time_zone"] ?? null;
  if (zone !== null && typeof zone !== "string") return refused("bad_time", "time_zone", "must be a zone's name");
  const group = optionalText(entry["group_id"]);
  if (group === undefined) return refused("bad_value", "group_id", "must be text");
  const { start_at, end_at, created } = times.times;
  const { synthetic, count, min, max, aggregated } = readMarks(entry, door);
  const { time_zone, user_entered, sync_id, sync_version, metadata: rest } = readMetadata(metadata, zone);
  // Written out, because spreading costs more than all the checks.
  const sample: SentSample = {
    sample_id: uuid.uuid,
    start_at,
    end_at,
    value,
    time_zone,
    created,
    user_entered,
    sync_id,
    sync_version,
    group_id: group || null,
    metadata: rest,
    synthetic,
    count,
    min,
    max,
    aggregated,
  };
  return { kind: "ok", head: head.head, sample };
};
