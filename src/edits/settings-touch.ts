import { METRICS } from "../domain/catalogue.ts";
import { dayEnd } from "../domain/local-day.ts";
import type { AthleteSettings, Instant, LocalDate } from "../domain/sample.ts";
import { sourceOrder } from "../domain/source-order.ts";
import { touchedDates } from "../domain/window.ts";
import { zoneAt } from "../domain/zone.ts";
import { type ZoneChange, zoneChanges } from "../domain/zone-changes.ts";

/** Samples of one metric that are stored together: starts in [first, last], all over by `end`. */
export type Group = {
  metric: string;
  first: Instant;
  last: Instant;
  end: Instant;
  /** Whether some of them may have their zone from the settings or a batch: only those can move. */
  movable: boolean;
};

/** Where a sample can be dated when nothing is known but its instant: these zones reach every date there is. */
const ANYWHERE = ["-12:00", "+00:00", "+14:00"];

const orderText = (settings: AthleteSettings, key: string): string => JSON.stringify(sourceOrder(settings, key));

/** Metrics whose results read the athlete's order of sources, and for which it is another one now. */
const reordered = (before: AthleteSettings, after: AthleteSettings): Set<string> => {
  const reading = METRICS.filter(
    ({ key, overlap, aggregation }) => key === "sleep_analysis" || (aggregation === "C" && overlap === "merge"),
  );
  return new Set(reading.map(({ key }) => key).filter((key) => orderText(before, key) !== orderText(after, key)));
};

const zonesOf = ({ before, after }: ZoneChange): string[] =>
  before === undefined || after === undefined
    ? [...ANYWHERE, ...[before, after].filter((zone) => zone !== undefined)]
    : [before, after];

const datesOf = (group: Group, from: Instant, zones: readonly string[]): LocalDate[] => {
  const start_at = Math.max(group.first, from);
  const placed = { metric: group.metric, start_at, end_at: Math.max(start_at, group.end), local_date: "" };
  return touchedDates({ ...placed, tz: zones[0] ?? "UTC" }, zones);
};

/**
 * The dates whose results can differ under the new settings, ascending: of samples that begin while another zone holds
 * now, in the zone before, the zone after, and all others that the athlete has been seen in (their timeline is one);
 * and of samples whose sources rank in another order.
 */
export const touchedBySettings = (
  groups: readonly Group[],
  before: AthleteSettings,
  after: AthleteSettings,
  seen: readonly string[],
): LocalDate[] => {
  const changes = zoneChanges(before.zones, after.zones);
  const metrics = reordered(before, after);
  const dates = new Set<LocalDate>();
  for (const group of groups) {
    for (const change of changes) {
      if (!group.movable || group.first >= change.to || group.last < change.from) continue;
      const end = Math.min(group.end, change.to + (group.end - group.last));
      for (const date of datesOf({ ...group, end }, change.from, [...zonesOf(change), ...seen])) dates.add(date);
    }
    if (metrics.has(group.metric)) for (const date of datesOf(group, group.first, seen)) dates.add(date);
  }
  return [...dates].toSorted();
};

/** When a date ends at the latest: in the athlete's zone by now, or in one that they were seen in around it (D4). */
export const closesAt = (date: LocalDate, { zones }: AthleteSettings, seen: readonly string[]): Instant => {
  const own = zoneAt(zones, dayEnd(date, "UTC"));
  const known = own === undefined ? seen : [own];
  return Math.max(...(known.length > 0 ? known : ["UTC"]).map((zone) => dayEnd(date, zone)));
};

/** What a change of settings has to be computed again. */
export type Recomputing = { days: number; from: LocalDate | null; to: LocalDate | null };

export const recomputingOf = (dates: readonly LocalDate[]): Recomputing => ({
  days: dates.length,
  from: dates[0] ?? null,
  to: dates.at(-1) ?? null,
});
