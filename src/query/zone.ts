import type { AthleteSettings, Instant, Sample } from "../domain/sample.ts";
import { zoneAt } from "../domain/zone.ts";
import { ObjectMissing } from "../flow/ports.ts";
import type { ReadDeps } from "./read.ts";
import { readNewest } from "./sql.ts";

/** The zone in which an athlete's dates are meant at an instant. */
export type ZoneAt = (at: Instant) => string;

/** The athlete's zone history › the zone of the newest sample › UTC (D4). */
export const zonesOf =
  (settings: AthleteSettings, newest: string | null): ZoneAt =>
  (at) =>
    zoneAt(settings.zones, at) ?? newest ?? "UTC";

const latestZone = (rows: readonly Sample[]): string | null => {
  let latest: Sample | undefined;
  for (const row of rows) if (!latest || row.start_at > latest.start_at) latest = row;
  return latest?.tz ?? null;
};

/** The zone of the newest sample anywhere: staged, else of the newest object. */
export const newestZone = async (deps: ReadDeps, athleteId: string): Promise<string | null> => {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const { tz, object_key } = await readNewest(deps.db, athleteId);
    if (tz !== null || object_key === null) return tz;
    try {
      return latestZone(deps.parquet.decodeDay(await deps.objects.get(object_key)));
    } catch (error) {
      // Superseded since: its successor has the rows.
      if (!(error instanceof ObjectMissing)) throw error;
    }
  }
  return null;
};
