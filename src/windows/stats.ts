import { compareRows } from "../domain/merge.ts";
import type { Instant, Sample } from "../domain/sample.ts";

export type MetricStats = {
  count: number;
  min: number;
  max: number;
  sum: number;
  first: Instant;
  last: Instant;
  max_end?: Instant;
};

/**
 * The `stats` of a pointer: a figure per metric in canonical units, `first` and `last` being starts (ms), and
 * `max_end` (ms): how far the object's rows reach, of a metric where that is beyond its last start. Rows come sorted, so
 * that the sum has one order of addition.
 */
export type DayStats = Record<string, MetricStats | Instant> & { max_end: Instant };

export const statsOf = (rows: readonly Sample[]): DayStats => {
  const metrics: Record<string, MetricStats> = {};
  const ends: Record<string, Instant> = {};
  for (const row of rows) {
    ends[row.metric] = Math.max(ends[row.metric] ?? row.end_at, row.end_at);
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
  for (const [metric, figures] of Object.entries(metrics)) {
    const end = ends[metric] ?? figures.last;
    if (end > figures.last) figures.max_end = end;
  }
  return { ...metrics, max_end: Math.max(...Object.values(ends)) };
};

/** The zone of the row that starts last, of several the first in the order of the file. */
export const newestZone = (rows: readonly Sample[]): string | null => {
  let newest: Sample | undefined;
  for (const row of rows) {
    const later = newest === undefined || row.start_at > newest.start_at;
    if (later || (row.start_at === newest?.start_at && compareRows(row, newest) < 0)) newest = row;
  }
  return newest?.tz ?? null;
};

const isSummary = ({ attributes }: Sample): boolean =>
  attributes.aggregated === true || attributes.min !== undefined || attributes.max !== undefined;

/** Metrics of which a row stands for several readings: their figures are not those of their values alone. */
export const summariesOf = (rows: readonly Sample[]): string[] =>
  [...new Set(rows.filter(isSummary).map(({ metric }) => metric))].toSorted();
