import { METRICS, metricOfKey } from "../domain/catalogue.ts";
import { athleteMetric } from "../domain/athlete-metrics.ts";
import { canonicalZone } from "../domain/local-day.ts";
import type { AthleteSettings } from "../domain/sample.ts";
import type { FieldError } from "../flow/route.ts";
import { impossible } from "./check.ts";

export const MAX_ZONES = 500;
export const MAX_SOURCES = 64;
const MAX_SOURCE_KEY = 512;
const EVERY = "*";

/** As it is sent: what is absent stays as it is. */
export type SettingsBody = {
  zones?: { from: string; zone: string }[];
  source_order?: Record<string, string[]>;
};

const INSTANT = /^(?:19|20|21)\d\d-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/i;

/** Offsets are no IANA names: they know no summer time, so a history of places has none. */
const isPlace = (zone: string): boolean => /^[A-Za-z]/.test(zone) && !/^(?:GMT|UTC)[+-]/i.test(zone) && zone !== "Z";

const instantOf = (text: string): number => (INSTANT.test(text) ? Date.parse(text) : Number.NaN);

const zoneFaults = (zones: NonNullable<SettingsBody["zones"]>): FieldError[] =>
  zones.flatMap(({ from, zone }, at) => {
    const faults: FieldError[] = [];
    const [start, before] = [instantOf(from), instantOf(zones[at - 1]?.from ?? "")];
    const path = `zones[${at}]`;
    if (Number.isNaN(start)) {
      const detail = "must be an instant of 1900 to 2199 with Z or an offset, like 2026-11-21T06:00:00Z";
      faults.push({ path: `${path}.from`, detail });
    } else if (start <= before) {
      faults.push({
        path: `${path}.from`,
        detail: "must be later than the one before: zones are ascending, each from once",
      });
    }
    if (!isPlace(zone) || canonicalZone(zone) === undefined) {
      faults.push({ path: `${path}.zone`, detail: "must be an IANA name that is known here, like Europe/Amsterdam" });
    }
    return faults;
  });

const keyFault = (key: string): FieldError | null => {
  const path = `source_order.${key.slice(0, 64)}`;
  if (key === EVERY || metricOfKey(key)) return null;
  const sampled = athleteMetric(key)?.from;
  const hint = sampled === null || sampled === undefined ? "" : ` (the samples of ${key} are ${sampled})`;
  const known = METRICS.map((one) => one.key).join(", ");
  return { path, detail: `must be * or the metric of samples${hint}: ${known}` };
};

const orderFaults = (order: Record<string, string[]>): FieldError[] =>
  Object.entries(order).flatMap(([key, sources]) => {
    const path = `source_order.${key.slice(0, 64)}`;
    const fault = keyFault(key);
    if (fault) return [fault];
    if (sources.length > MAX_SOURCES) return [{ path, detail: `must name at most ${MAX_SOURCES} sources` }];
    if (new Set(sources).size !== sources.length) return [{ path, detail: "must name each source once" }];
    if (sources.every((source) => source !== "" && source.length <= MAX_SOURCE_KEY)) return [];
    return [
      { path, detail: `must hold source keys of 1 to ${MAX_SOURCE_KEY} characters, like com.apple.health|Watch7,5` },
    ];
  });

/** The settings as they shall be. Throws Problem 422 that names every field at fault. */
export const checkSettings = (body: SettingsBody, before: AthleteSettings): AthleteSettings => {
  const { zones, source_order } = body;
  const faults: FieldError[] = [];
  if (zones === undefined && source_order === undefined)
    faults.push({ path: "zones", detail: "or source_order must be given" });
  if ((zones?.length ?? 0) > MAX_ZONES)
    faults.push({ path: "zones", detail: `must have at most ${MAX_ZONES} entries` });
  else faults.push(...zoneFaults(zones ?? []));
  faults.push(...orderFaults(source_order ?? {}));
  const [first, ...others] = faults;
  if (first) throw impossible(first, ...others);
  return {
    zones: zones?.map(({ from, zone }) => ({ from: Date.parse(from), zone })) ?? before.zones,
    source_order: source_order ?? before.source_order,
  };
};
