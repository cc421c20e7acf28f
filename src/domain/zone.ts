import { canonicalZone } from "./local-day.ts";
import type { Attributes, Instant } from "./sample.ts";

/** What is known of where a sample was taken, strongest first (D4). */
export type ZoneEvidence = {
  hk_time_zone: string | null;
  sent: string | null;
  /** The athlete's zone history, ascending by `from`. */
  history: readonly { from: Instant; zone: string }[];
  batch: string | null;
};

export type ZoneChoice =
  | { kind: "zone"; tz: string; tz_source: NonNullable<Attributes["tz_source"]>; flags: string[] }
  | { kind: "garbage"; text: string };

/** The athlete's zone at an instant by their settings, undefined before the first entry. */
export const zoneAt = (history: ZoneEvidence["history"], at: Instant): string | undefined => {
  const entry = history.findLast(({ from }) => from <= at);
  return entry === undefined ? undefined : canonicalZone(entry.zone);
};

/**
 * D4: HKTimeZone › the zone sent with the sample › the athlete's history at that instant › the batch's › UTC, flagged.
 * A zone that the client states for itself and that is none is its fault; an HKTimeZone that is none was written by
 * some app long ago, so it is passed over and flagged.
 */
export const chooseZone = (evidence: ZoneEvidence, at: Instant): ZoneChoice => {
  const stated = evidence.hk_time_zone === null ? undefined : canonicalZone(evidence.hk_time_zone);
  if (stated !== undefined) return { kind: "zone", tz: stated, tz_source: "sample", flags: [] };
  const flags = evidence.hk_time_zone === null ? [] : ["zone_ignored"];
  if (evidence.sent !== null) {
    const tz = canonicalZone(evidence.sent);
    return tz === undefined
      ? { kind: "garbage", text: evidence.sent }
      : { kind: "zone", tz, tz_source: "sample", flags };
  }
  const athlete = zoneAt(evidence.history, at);
  if (athlete !== undefined) return { kind: "zone", tz: athlete, tz_source: "athlete", flags };
  if (evidence.batch === null) return { kind: "zone", tz: "UTC", tz_source: "utc", flags: [...flags, "zone_assumed"] };
  const tz = canonicalZone(evidence.batch);
  return tz === undefined ? { kind: "garbage", text: evidence.batch } : { kind: "zone", tz, tz_source: "batch", flags };
};
