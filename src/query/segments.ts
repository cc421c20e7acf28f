import { DAY, epochDay, HOUR } from "../domain/local-day.ts";
import type { SeriesPlan, SeriesPointer } from "./series-sql.ts";

/** [from, to) of a time line: epoch days, or instants. */
export type Span = { from: number; to: number };
/** `rows`: to be read as rows, which are merged with whatever else there is; else from columns. */
export type Segment = Span & { rows: boolean };

/**
 * Copies and twins of a row, and the row in another zone, have dates no further than this from its own: an instant has
 * three dates on Earth at most. Dates so near to a restless one are read as rows with it.
 */
export const AROUND = 2;

const around = (first: number, last: number, days = AROUND): Span => ({ from: first - days, to: last + 1 + days });

/** Whether an object's rows do not all begin before its neighbour's: which comes first is not known without ids then. */
const isInterleaved = (pointer: SeriesPointer, neighbour: SeriesPointer | undefined): boolean =>
  (pointer.last ?? Number.POSITIVE_INFINITY) >= (neighbour?.first ?? Number.POSITIVE_INFINITY);

/**
 * Dates, as epoch days, whose rows as they stand in objects may not be what counts, or not say it without their
 * attributes. All others are at rest: panes have decided what their objects hold, and nothing has happened since, so
 * that no copy, twin, deletion or zone can change what is in them (I4).
 */
export const disturbedDays = (plan: SeriesPlan, all: Span, by: "local_date" | "start_at"): Span[] => {
  if (plan.searching) return [all];
  const days = plan.restless.map(epochDay).map((day) => around(day, day));
  for (const [at, pointer] of plan.pointers.entries()) {
    const { plain, watched } = pointer;
    const [before, after] = [plan.pointers[at - 1], plan.pointers[at + 1]];
    // A local date has one object, an hour may have two.
    const isOrdered =
      by === "local_date" || (!isInterleaved(pointer, after) && !(before && isInterleaved(before, pointer)));
    if (watched && plain && isOrdered) continue;
    days.push(around(epochDay(pointer.period_start), epochDay(pointer.period_end), watched ? 0 : AROUND));
  }
  return days;
};

/** All instants of these days, in whatever zone. Whole hours, where every length of buckets begins anew. */
export const instantsOf = ({ from, to }: Span): Span => ({ from: from * DAY - 14 * HOUR, to: to * DAY + 12 * HOUR });

/** The range cut where what disturbs begins and ends, in order. */
export const segmentsOf = (range: Span, disturbed: readonly Span[]): Segment[] => {
  const segments: Segment[] = [];
  let at = range.from;
  for (const { from, to } of disturbed.toSorted((a, b) => a.from - b.from)) {
    const [start, end] = [Math.max(at, from), Math.min(to, range.to)];
    if (end <= start) continue;
    if (start > at) segments.push({ from: at, to: start, rows: false });
    const before = segments.at(-1);
    if (before?.rows === true) before.to = end;
    else segments.push({ from: start, to: end, rows: true });
    at = end;
  }
  if (at < range.to) segments.push({ from: at, to: range.to, rows: false });
  return segments;
};
