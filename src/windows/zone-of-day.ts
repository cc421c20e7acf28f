import type { AthleteSettings, LocalDate, Sample } from "../domain/sample.ts";
import { zoneAt } from "../domain/zone.ts";

/**
 * The zone in which a date's hours are told: that of its first sample (nights come first, and a sample carries its
 * own evidence, D4), else the athlete's zone on that date, else UTC. `live` is sorted by metric, not by time.
 */
export const zoneOfDay = (date: LocalDate, live: readonly Sample[], settings: AthleteSettings): string => {
  let first: Sample | undefined;
  for (const sample of live) {
    if (sample.local_date !== date) continue;
    const earlier =
      !first ||
      sample.start_at < first.start_at ||
      (sample.start_at === first.start_at && sample.sample_id < first.sample_id);
    if (earlier) first = sample;
  }
  if (first) return first.tz;
  return zoneAt(settings.zones, Date.parse(`${date}T12:00:00Z`)) ?? "UTC";
};
