import type { Instant, Sample } from "../domain/sample.ts";

export type MetricStats = { count: number; min: number; max: number; sum: number; first: Instant; last: Instant };

/**
 * The `stats` of a pointer: a figure per metric in canonical units, `first` and `last` being starts (ms), and
 * `max_end` (ms): how far the object's rows reach. Rows come sorted, so that the sum has one order of addition.
 */
export type DayStats = Record<string, MetricStats | Instant> & { max_end: Instant };

export const statsOf = (rows: readonly Sample[]): DayStats => {
  const metrics: Record<string, MetricStats> = {};
  let maxEnd = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    maxEnd = Math.max(maxEnd, row.end_at);
    const known = metrics[row.metric];
    if (!known) {
      const { value, start_at } = row;
      metrics[row.metric] = { count: 1, min: value, max: value, sum: value, first: start_at, last: start_at };
      continue;
    }
    known.count += 1;
    known.min = Math.min(known.min, row.value);
    known.max = Math.max(known.max, row.value);
    known.sum += row.value;
    known.first = Math.min(known.first, row.start_at);
    known.last = Math.max(known.last, row.start_at);
  }
  return { ...metrics, max_end: maxEnd };
};
