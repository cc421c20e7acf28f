import type { MetricDefinition } from "./catalogue.ts";
import { compare } from "./canonical.ts";
import type { DailyTotal } from "./interpret.ts";
import type { Span } from "./interval.ts";
import type { AthleteSettings, Digest, LocalDate, Sample } from "./sample.ts";
import type { SleepSession } from "./sleep/session.ts";
import { sourceKeyOf } from "./source.ts";

/** A daily value as a rule gives it: what stands in `athlete_metrics`, but for locks and revisions. */
export type MetricValue = {
  metric: string;
  source: "derived" | "apple_health";
  value: number;
  unit: string;
  /** Rule and version. */
  method: string;
  /** SHA-256, hex, of what the rule read, without arrival stamps. */
  input_hash: string;
  provenance: Record<string, unknown>;
};

export type DayInput = {
  date: LocalDate;
  /** Live samples of all metrics that overlap the date's `inputSpan`. */
  samples: readonly Sample[];
  totals: readonly DailyTotal[];
  /** All sleep sessions of the date. */
  sessions: readonly SleepSession[];
  settings: AthleteSettings;
};

/** A day's input, its samples by metric, and its main sleep from onset to final wake. */
export type DaySamples = Pick<DayInput, "date" | "settings"> & {
  of: (metric: string) => readonly Sample[];
  night: Span | null;
};

/** Every member that a rule reads. Arrival stamps are none: the same samples must give the same hash in any order. */
const inputRow = (sample: Sample) => {
  const { aggregated, created, device_class, motion_context, sync_version } = sample.attributes;
  return [
    sample.sample_id,
    sample.metric,
    sample.start_at,
    sample.end_at,
    sample.value,
    sourceKeyOf(sample),
    sample.tz,
    [device_class ?? null, aggregated ?? null, sync_version ?? null, created ?? null, motion_context ?? null],
  ] as const;
};

export const inputHash = (samples: readonly Sample[], settings: unknown, digest: Digest): string => {
  const rows = samples.toSorted((a, b) => compare(a.sample_id, b.sample_id)).map(inputRow);
  return digest.sha256(JSON.stringify([settings, rows]));
};

/** The flag of a day's result that is possible but unusual. */
export const dayFlags = (value: number, { softDay: [min, max] }: MetricDefinition): { flags?: string[] } =>
  value < min || value > max ? { flags: ["soft_range"] } : {};

/** How many samples each source gave, ordered by source. */
export const sourceCounts = (samples: readonly Sample[]): { source_key: string; samples: number }[] =>
  [...Map.groupBy(samples, sourceKeyOf)]
    .map(([source_key, all]) => ({ source_key, samples: all.length }))
    .toSorted((a, b) => compare(a.source_key, b.source_key));

/** No aggregate. */
export const isPlain = ({ attributes }: Sample): boolean => attributes.aggregated !== true;

/** Aggregates count only where there are no samples (D21). */
export const preferSamples = (samples: readonly Sample[]): readonly Sample[] => {
  const plain = samples.filter(isPlain);
  return plain.length > 0 ? plain : samples;
};
