import { isKnownType, metricOfType } from "./catalogue.ts";
import { isUuid } from "./ids.ts";
import { DAY, HOUR, fromEpochDay, localDate } from "./local-day.ts";
import { convertValue, measure } from "./measure.ts";
import { readMetadata } from "./metadata.ts";
import { isPlausible, quoted, refuse, refuseTimes } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import type {
  AthleteSettings,
  Attributes,
  DeviceClass,
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

/** Members that are undefined stay away: JSON knows none such, and a row must equal itself after a round trip. */
const keep = <K extends keyof Attributes>(into: Attributes, name: K, value: Attributes[K] | undefined): void => {
  if (value !== undefined) into[name] = value;
};

/** What a series says of each of its samples. */
type SeriesRead = {
  source: string;
  device: string | null;
  bundle_id: string | undefined;
  product_type: string | undefined;
  /** Of what no person entered. */
  device_class: DeviceClass;
  door: string;
  unit_received: string | null;
};

/** Read once a series: `interpret` takes it, so that thousands of samples do not ask again. */
export const readSeries = (series: InterpretInput["series"]): SeriesRead => {
  const { bundle_id, product_type } = series;
  const source = normaliseSource(series.source_name ?? "");
  return {
    source,
    device: text(series.device) ?? null,
    bundle_id: text(bundle_id),
    product_type: text(product_type),
    device_class: deviceClass({ bundle_id, product_type, source, user_entered: false }),
    door: storable(series.door),
    unit_received: text(series.unit) ?? null,
  };
};

/** Everything that `recompute` needs to interpret the sample again (contract §4). */
const attributesOf = (
  { series, sample, batch_time_zone }: InterpretInput,
  read: SeriesRead,
  { metadata, measured, zone }: Pick<Understood, "metadata" | "measured" | "zone">,
): Attributes => {
  const byHand = sample.user_entered || metadata.user_entered;
  const canonical = (value: number | null): number | undefined =>
    value === null ? undefined : finite(measured.convert(value));
  const kept: Attributes = {};
  keep(kept, "created", sample.created ?? undefined);
  keep(kept, "bundle_id", read.bundle_id);
  keep(kept, "product_type", read.product_type);
  kept.device_class = byHand ? "manual" : read.device_class;
  keep(kept, "sync_id", text(sample.sync_id) ?? metadata.sync_id ?? undefined);
  keep(kept, "sync_version", finite(sample.sync_version) ?? metadata.sync_version ?? undefined);
  if (byHand) kept.user_entered = true;
  keep(kept, "motion_context", metadata.motion_context ?? undefined);
  keep(kept, "count", finite(sample.count));
  if (sample.aggregated) kept.aggregated = true;
  keep(kept, "group_id", text(sample.group_id));
  if (sample.synthetic) kept.synthetic = true;
  kept.door = read.door;
  kept.type = series.type;
  kept.value_received = sample.value + 0;
  kept.unit_received = read.unit_received;
  keep(kept, "zone_sent", text(sample.time_zone));
  keep(kept, "batch_zone", text(batch_time_zone));
  keep(kept, "metadata", metadata.rest);
  keep(kept, "min", canonical(sample.min));
  keep(kept, "max", canonical(sample.max));
  kept.tz_source = zone.tz_source;
  if (measured.flags.length + zone.flags.length > 0) kept.flags = [...measured.flags, ...zone.flags];
  return kept;
};

type Understood = Extract<ReturnType<typeof understood>, { kind: "ok" }>;

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
export const interpret = (input: InterpretInput, read: SeriesRead = readSeries(input.series)): Interpreted => {
  const found = understood(input);
  if (found.kind !== "ok") return found;
  const { sample, received_at } = input;
  const { definition, measured, zone } = found;
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
      source: read.source,
      device: read.device,
      tz: zone.tz,
      local_date: localDate(sample.start_at, zone.tz),
      attributes: attributesOf(input, read, found),
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
