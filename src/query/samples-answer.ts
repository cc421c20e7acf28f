import type { Instant, LocalDate, Sample } from "../domain/sample.ts";
import type { CumulativeBucket, DiscreteBucket } from "./buckets.ts";
import { type Cursor, encodeCursor } from "./params.ts";

export const RAW_COLUMNS = ["start_at", "end_at", "value", "source", "sample_id"] as const;
export const DISCRETE_COLUMNS = ["start_at", "end_at", "min", "mean", "max", "count"] as const;
export const CUMULATIVE_COLUMNS = ["start_at", "end_at", "sum"] as const;

export const iso = (at: Instant): string => new Date(at).toISOString();

export const rawPoints = (samples: readonly Sample[]): unknown[][] =>
  samples.map((s) => [iso(s.start_at), iso(s.end_at), s.value, s.source, s.sample_id]);

const isAfter = (sample: Sample, cursor: Cursor): boolean =>
  sample.start_at - cursor.start_at > 0 ||
  (sample.start_at === cursor.start_at &&
    (sample.end_at > cursor.end_at || (sample.end_at === cursor.end_at && sample.sample_id > cursor.sample_id)));

/**
 * One page of raw samples after the cursor, and where the next begins: null at the end. `complete` is false when more
 * lies behind what was read.
 */
export const rawPage = (
  live: readonly Sample[],
  page: { cursor: Cursor | null; limit: number; complete: boolean },
): { points: unknown[][]; next: string | null } => {
  const { cursor } = page;
  const rest = cursor === null ? live : live.filter((sample) => isAfter(sample, cursor));
  const shown = rest.slice(0, page.limit);
  const last = shown.at(-1);
  const more = rest.length > shown.length || !page.complete;
  return { points: rawPoints(shown), next: more && last ? encodeCursor(last) : null };
};

const edges = (bucket: { start_at: Instant; end_at: Instant; date: LocalDate | null }): string[] => [
  ...(bucket.date === null ? [] : [bucket.date]),
  iso(bucket.start_at),
  iso(bucket.end_at),
];

export const discretePoints = (buckets: readonly DiscreteBucket[]): unknown[][] =>
  buckets.map((b) => [...edges(b), b.min, b.mean, b.max, b.count]);

export const cumulativePoints = (buckets: readonly CumulativeBucket[]): unknown[][] =>
  buckets.map((b) => [...edges(b), b.sum]);
