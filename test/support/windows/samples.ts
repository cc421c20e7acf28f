import { uuid5, NAMESPACE } from "../../../src/domain/ids.ts";
import { localDate } from "../../../src/domain/local-day.ts";
import type { Sample } from "../../../src/domain/sample.ts";
import { digest } from "../../../src/flow/digest.ts";

export const HOUR = 3_600_000;
export const at = (iso: string): number => Date.parse(iso);

/** A uuid that a test can say again. */
export const id = (name: string): string => uuid5(NAMESPACE, name, digest);

export type Change = Partial<Sample> & { name?: string };

const made = (metric: string, unit: string, start: string, change: Change): Sample => {
  const { name, ...fields } = change;
  const start_at = fields.start_at ?? at(start);
  const tz = fields.tz ?? "Europe/Amsterdam";
  return {
    athlete_id: "anna",
    sample_id: id(name ?? `${metric} ${start}`),
    metric,
    start_at,
    end_at: start_at,
    value: 60,
    unit,
    source: "Watch",
    device: null,
    tz,
    local_date: localDate(start_at, tz),
    attributes: { device_class: "watch", bundle_id: "com.apple.health", product_type: "Watch7,5" },
    received_at: at("2026-11-01T00:00:00Z"),
    ...fields,
  };
};

export const heart = (start: string, change: Change = {}): Sample => made("heart_rate", "count/min", start, change);

/** Ten minutes of walking. */
export const steps = (start: string, value: number, change: Change = {}): Sample =>
  made("steps", "count", start, { value, end_at: at(start) + 600_000, ...change });

/** A night of heart rates, one every five minutes from 01:00 Amsterdam winter time, enough for `rhr/1`. */
export const night = (date: string, value = 50): Sample[] =>
  Array.from({ length: 24 }, (_, n) =>
    heart(new Date(at(`${date}T00:00:00Z`) + n * 300_000).toISOString(), { value: value + (n % 5) }),
  );

/** A measurement at rest, which a day remembers. */
export const variability = (start: string, value: number, change: Change = {}): Sample =>
  made("hrv_sdnn", "ms", start, { value, ...change });

const STAGES = { in_bed: 0, asleep: 1, awake: 2, core: 3, deep: 4, rem: 5 } as const;

/** A sleep segment of so many minutes. */
export const segment = (start: string, stage: keyof typeof STAGES, minutes: number, change: Change = {}): Sample =>
  made("sleep_analysis", "", start, {
    name: `${stage} ${start}`,
    value: STAGES[stage],
    end_at: at(start) + minutes * 60_000,
    ...change,
  });

/** Segments one after the other. */
export const slept = (
  start: string,
  stages: readonly (readonly [stage: keyof typeof STAGES, minutes: number])[],
  change: Change = {},
): Sample[] => {
  let from = at(start);
  return stages.map(([stage, minutes]) => {
    const one = segment(new Date(from).toISOString(), stage, minutes, change);
    from += minutes * 60_000;
    return one;
  });
};

/** Eight hours and ten minutes of a watch, ten minutes of them awake. */
export const NIGHT = [
  ["core", 120],
  ["deep", 90],
  ["awake", 10],
  ["rem", 110],
  ["core", 160],
] as const;
