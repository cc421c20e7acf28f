import { localDate } from "./local-day.ts";
import type { AthleteSettings, Attributes, Sample } from "./sample.ts";
import { chooseZone } from "./zone.ts";

const ASSUMED = "zone_assumed";

/** Marks of a renamed copy stand behind what its reading gave (D6). */
const isMark = (flag: string): boolean => flag === "conflict" || flag.startsWith("conflict_of:");

const withZone = (attributes: Attributes, tz_source: NonNullable<Attributes["tz_source"]>): Attributes => {
  const { flags: told = [], ...rest } = attributes;
  const read = told.filter((flag) => flag !== ASSUMED && !isMark(flag));
  const flags = [...read, ...(tz_source === "utc" ? [ASSUMED] : []), ...told.filter(isMark)];
  return { ...rest, tz_source, ...(flags.length === 0 ? {} : { flags }) };
};

/**
 * A stored sample in the zone that D4 gives it under these settings, from the evidence that was kept with it: the same
 * sample, as an object too, where that changes nothing. A zone that was stated for the sample itself never changes, and
 * without evidence nothing is known to be wrong. A batch's zone that is none, which only the athlete's own zone had
 * made harmless, counts as absent: what was accepted is not lost by a setting.
 */
export const rezone = (sample: Sample, { zones }: Pick<AthleteSettings, "zones">): Sample => {
  const { attributes, start_at } = sample;
  if (attributes.tz_source === undefined || attributes.tz_source === "sample") return sample;
  const evidence = { hk_time_zone: null, sent: null, history: zones };
  const choice = chooseZone({ ...evidence, batch: attributes.batch_zone ?? null }, start_at);
  const zone = choice.kind === "zone" ? choice : { tz: "UTC", tz_source: "utc" as const };
  if (zone.tz === sample.tz && zone.tz_source === attributes.tz_source) return sample;
  return {
    ...sample,
    tz: zone.tz,
    local_date: localDate(start_at, zone.tz),
    attributes: withZone(attributes, zone.tz_source),
  };
};
