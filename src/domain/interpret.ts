import { isKnownType, metricOfType } from "./catalogue.ts";
import { isUuid } from "./ids.ts";
import { DAY, HOUR, fromEpochDay, localDate } from "./local-day.ts";
import { convertValue, measure } from "./measure.ts";
import { readMetadata } from "./metadata.ts";
import type { Metadata } from "./metadata.ts";
import { isPlausible, quoted, refuse, refuseTimes } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import type {
  AthleteSettings,
  Attributes,
  Instant,
  LocalDate,
  Sample,
  SentDaily,
  SentSample,
  SentSeries,
} from "./sample.ts";
import { deviceClass, normaliseSource, storable } from "./source.ts";
import { chooseZone } from "./zone.ts";

export type InterpretInput = {
  series: Omit<SentSeries, "samples">;
  sample: SentSample;
  athlete_id: string;
  received_at: Instant;
  batch_time_zone: string | null;
  settings: AthleteSettings;
};

export type Interpreted = { kind: "ok"; value: Sample } | { kind: "ignored"; type: string } | Refusal;

const finite = (value: number | null): number | undefined =>
  value === null || !Number.isFinite(value) ? undefined : value + 0;

const text = (value: string | null): string | undefined => (value === null ? undefined : storable(value));

const set = (yes: boolean): true | undefined => (yes ? true : undefined);

/** Drops what is undefined: JSON knows no such members, and a row must equal itself after a round trip. */
const present = (attributes: { [Key in keyof Attributes]: Attributes[Key] | undefined }): Attributes => {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) kept[key] = value;
  return kept;
};

/** Everything that `recompute` needs to interpret the sample again (contract §4). */
const sentAttributes = ({ series, sample, batch_time_zone }: InterpretInput, metadata: Metadata) => ({
  created: sample.created ?? undefined,
  bundle_id: text(series.bundle_id),
  product_type: text(series.product_type),
  device_class: deviceClass({
    bundle_id: series.bundle_id,
    product_type: series.product_type,
    source: normaliseSource(series.source_name ?? ""),
    user_entered: sample.user_entered || metadata.user_entered,
  }),
  sync_id: text(sample.sync_id) ?? metadata.sync_id ?? undefined,
  sync_version: finite(sample.sync_version) ?? metadata.sync_version ?? undefined,
  user_entered: set(sample.user_entered || metadata.user_entered),
  motion_context: metadata.motion_context ?? undefined,
  count: finite(sample.count),
  aggregated: set(sample.aggregated),
  group_id: text(sample.group_id),
  synthetic: set(sample.synthetic),
  door: storable(series.door),
  type: series.type,
  value_received: sample.value + 0,
  unit_received: text(series.unit) ?? null,
  zone_sent: text(sample.time_zone),
  batch_zone: text(batch_time_zone),
  metadata: metadata.rest,
});

/** What makes a sample acceptable, found out on the way to accepting it. */
const understood = (input: InterpretInput) => {
  const { series, sample, received_at, settings } = input;
  const definition = metricOfType(series.type);
  if (definition === undefined)
    return isKnownType(series.type)
      ? ({ kind: "ignored", type: series.type } as const)
      : refuse(
          "unknown_type",
          "type",
          `type must be an identifier that HealthKit documents; it is ${quoted(series.type)}`,
        );
  if (!isUuid(sample.sample_id))
    return refuse("bad_uuid", "uuid", `uuid must be a UUID; it is ${quoted(sample.sample_id)}`);
  const badTimes = refuseTimes(sample.start_at, sample.end_at, received_at);
  if (badTimes !== undefined) return badTimes;
  if (sample.created !== null && !isPlausible(sample.created))
    return refuse("bad_time", "created", "created must be a time between 1970-01-01 and 2099-12-31");
  const { value, start_at, end_at } = sample;
  const metadata = readMetadata(sample.metadata);
  if ("reason" in metadata) return refuse(metadata.reason, "metadata", metadata.detail);
  const beats = metadata.rest?.["beats"];
  const measured = measure(definition, { value, unit: series.unit, door: series.door, start_at, end_at, beats });
  if (measured.kind === "dead") return measured;
  const zone = chooseZone(
    { hk_time_zone: metadata.time_zone, sent: sample.time_zone, history: settings.zones, batch: input.batch_time_zone },
    sample.start_at,
  );
  if (zone.kind === "garbage")
    return refuse("bad_time", "time_zone", `time_zone must be an IANA name or an offset; it is ${quoted(zone.text)}`);
  return { kind: "ok", definition, metadata, measured, zone } as const;
};

/** What `interpret` would answer, without the sample: the edge asks nothing more. */
export const fateOf = (input: InterpretInput): { kind: "ok" } | { kind: "ignored"; type: string } | Refusal =>
  understood(input);

/**
 * One sample as it was sent, to one canonical sample: the same at the edge, which only accepts or refuses by it
 * (`fateOf`), and in staging, which stores it. Total: whatever a decoded chunk can hold gets an answer. Reasons are those
 * of D5. The id is kept in lower case; the zone is D4, the local date D3, the device class D11.
 */
export const interpret = (input: InterpretInput): Interpreted => {
  const found = understood(input);
  if (found.kind !== "ok") return found;
  const { series, sample, received_at } = input;
  const { definition, metadata, measured, zone } = found;
  const canonical = (value: number | null): number | undefined =>
    finite(value === null ? null : measured.convert(value));
  const flags = [...measured.flags, ...zone.flags];
  return {
    kind: "ok",
    value: {
      athlete_id: input.athlete_id,
      sample_id: sample.sample_id.toLowerCase(),
      metric: definition.key,
      start_at: sample.start_at,
      end_at: sample.end_at,
      value: measured.value,
      unit: definition.unit,
      source: normaliseSource(series.source_name ?? ""),
      device: text(series.device) ?? null,
      tz: zone.tz,
      local_date: localDate(sample.start_at, zone.tz),
      attributes: present({
        ...sentAttributes(input, metadata),
        min: canonical(sample.min),
        max: canonical(sample.max),
        tz_source: zone.tz_source,
        flags: flags.length === 0 ? undefined : flags,
      }),
      received_at,
    },
  };
};

/** A provider's own merged total of a local date: the content of a `daily_totals` row. `metric` is the athlete metric. */
export type DailyTotal = {
  date: LocalDate;
  metric: string;
  value: number;
  unit: string;
  value_received: number;
  unit_received: string;
};

export type InterpretedDaily = { kind: "ok"; value: DailyTotal } | { kind: "ignored"; type: string } | Refusal;

/** One entry of `daily[]`: finite, not negative, of a type that has an athlete metric (§5.0). Total, as `interpret`. */
export const interpretDaily = (daily: SentDaily, received_at: Instant): InterpretedDaily => {
  const definition = metricOfType(daily.type);
  if (definition === undefined && isKnownType(daily.type)) return { kind: "ignored", type: daily.type };
  const metric = definition?.daily ?? null;
  if (metric === null || metric.units.size === 0)
    return refuse("unknown_type", "type", `there are no daily totals of type ${quoted(daily.type)}`);
  if (!isPlausible(received_at) || !isPlausible(daily.date * DAY))
    return refuse("bad_time", "date", "date must be between 1970-01-01 and 2099-12-31");
  // A date begins first at UTC+14.
  if (daily.date * DAY - 14 * HOUR > received_at + DAY)
    return refuse("future", "date", "date begins over 24 h after it was received: check the clock");
  const measured = convertValue(metric.units, { ...daily, door: "" });
  if (measured.kind === "dead") return measured;
  if (!(measured.value >= 0 && measured.value < Infinity))
    return refuse("out_of_range", "value", "a daily total must be finite and not negative");
  return {
    kind: "ok",
    value: {
      date: fromEpochDay(daily.date),
      metric: metric.metric,
      value: measured.value,
      unit: metric.unit,
      value_received: daily.value + 0,
      unit_received: daily.unit,
    },
  };
};
