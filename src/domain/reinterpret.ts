import { METRICS } from "./catalogue.ts";
import { canonicalJson } from "./canonical.ts";
import { type DailyTotal, type InterpretInput, interpret } from "./interpret.ts";
import { convertValue } from "./measure.ts";
import type { AthleteSettings, Attributes, Sample } from "./sample.ts";

/** Flags that no reading of the sample gives: another copy of its id had another moment (D6). */
const isMark = (flag: string): boolean => flag === "conflict" || flag.startsWith("conflict_of:");

/** The metadata as sent, but for keys whose members of `SentSample` say the same. */
const sentMetadata = ({ metadata, motion_context }: Attributes): string | null => {
  const lifted = motion_context === undefined ? {} : { HKHeartRateMotionContext: motion_context };
  const all = { ...metadata, ...lifted };
  return Object.keys(all).length === 0 ? null : JSON.stringify(all);
};

/** A stored sample as it was sent, as far as its attributes tell (contract §4): what staging read from the topic. */
const asSent = (sample: Sample, type: string, settings: AthleteSettings): InterpretInput => {
  const { attributes: told } = sample;
  return {
    athlete_id: sample.athlete_id,
    received_at: sample.received_at,
    batch_time_zone: told.batch_zone ?? null,
    settings,
    series: {
      type,
      unit: told.unit_received ?? null,
      source_name: sample.source,
      bundle_id: told.bundle_id ?? null,
      product_type: told.product_type ?? null,
      device: sample.device,
      door: told.door ?? "",
    },
    sample: {
      sample_id: sample.sample_id,
      synthetic: told.synthetic === true,
      start_at: sample.start_at,
      end_at: sample.end_at,
      value: told.value_received ?? sample.value,
      time_zone: told.zone_sent ?? null,
      created: told.created ?? null,
      sync_id: told.sync_id ?? null,
      sync_version: told.sync_version ?? null,
      user_entered: told.user_entered === true,
      count: told.count ?? null,
      min: null,
      max: null,
      aggregated: told.aggregated === true,
      group_id: told.group_id ?? null,
      metadata: sentMetadata(told),
    },
  };
};

/**
 * A condensed series' least and greatest value, of which only the canonical ones are kept: they follow their value to
 * another scale.
 */
const extremes = (before: Sample, after: Sample): Pick<Attributes, "min" | "max"> => {
  const { min, max } = before.attributes;
  const factor = before.value === after.value || before.value === 0 ? 1 : after.value / before.value;
  return {
    ...(min === undefined ? {} : { min: min * factor }),
    ...(max === undefined ? {} : { max: max * factor }),
  };
};

/**
 * A stored sample read again by today's rules and settings, once the topics are gone: what staging would make of it; the
 * same sample, as an object too, where that changes nothing.
 * A sample that today's rules would refuse stays as it is stored: what was accepted is never lost by a new rule.
 */
export const reinterpret = (sample: Sample, settings: AthleteSettings): Sample => {
  const { type, flags = [] } = sample.attributes;
  if (type === undefined) return sample;
  const outcome = interpret(asSent(sample, type, settings));
  if (outcome.kind !== "ok") return sample;
  const { value: read } = outcome;
  const all = [...(read.attributes.flags ?? []), ...flags.filter(isMark)];
  const attributes = {
    ...read.attributes,
    ...extremes(sample, read),
    ...(all.length === 0 ? {} : { flags: all }),
  };
  const fresh = { ...read, attributes };
  return canonicalJson(fresh) === canonicalJson(sample) ? sample : fresh;
};

const dailyOf = new Map(METRICS.flatMap(({ daily }) => (daily === null ? [] : [[daily.metric, daily] as const])));

/** A provider's total converted again from what was sent; the same one where that changes nothing or is refused now. */
export const reinterpretTotal = (total: DailyTotal): DailyTotal => {
  const daily = dailyOf.get(total.metric);
  if (daily === undefined) return total;
  const sent = { value: total.value_received, unit: total.unit_received, door: "" };
  const converted = convertValue(daily.units, sent);
  if (converted.kind === "dead" || converted.value < 0) return total;
  const fresh = { ...total, value: converted.value, unit: daily.unit };
  return canonicalJson(fresh) === canonicalJson(total) ? total : fresh;
};
