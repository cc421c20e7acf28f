import { addDays, epochDay, fromEpochDay, possibleDates } from "../domain/local-day.ts";
import type { LocalDate } from "../domain/sample.ts";
import type { SeriesPart } from "../flow/ports.ts";
import { slots } from "../flow/slots.ts";
import { dayBounds, LENGTHS } from "./buckets.ts";
import { openFigures } from "./columns.ts";
import { datesOf } from "./params.ts";
import type { ReadDeps } from "./read.ts";
import { discretePoints } from "./samples-answer.ts";
import type { Asked } from "./samples-series.ts";
import { AROUND, disturbedDays, instantsOf, type Segment, segmentsOf, type Span } from "./segments.ts";
import { readSeriesPlan, type SeriesPlan, type SeriesPointer } from "./series-sql.ts";

/** How buckets are told apart: by local date (epoch days), or by start (milliseconds). */
export type Grid = { by: "local_date" | "start_at"; length: number; range: Span };

export const gridOf = ({ resolution, range, zoneAt }: Asked): Grid => {
  if (resolution !== "1d" && resolution !== "raw") return { by: "start_at", length: LENGTHS[resolution], range };
  const { first, last } = datesOf(range, zoneAt);
  return { by: "local_date", length: 1, range: { from: epochDay(first), to: epochDay(last) + 1 } };
};

/** Days under which rows of the grid's range may stand. */
const daysOf = ({ by, range }: Grid): Span => {
  if (by === "local_date") return range;
  const [first, last] = [possibleDates(range.from)[0], possibleDates(range.to - 1).at(-1)];
  return { from: epochDay(first as string), to: epochDay(last as string) + 1 };
};

type Planned = { plan: SeriesPlan; segments: Segment[] };

/** Buckets of one piece: they are in memory together. */
const MOST_BUCKETS = 50_000;

const cut = ({ from, to, rows }: Segment, { length }: Grid): Segment[] => {
  const pieces: Segment[] = [];
  for (let start = from; start < to;) {
    const end = Math.min(to, Math.floor(start / length + MOST_BUCKETS) * length);
    pieces.push({ from: start, to: end, rows });
    start = end;
  }
  return pieces;
};

export type Early = { dates: { first: LocalDate; last: LocalDate }; plan: SeriesPlan };

/** The plan of a series before it is known in which zones its dates are meant: of a day more on either side. */
export const planEarly = async (
  { db }: Pick<ReadDeps, "db">,
  of: { athlete_id: string; metric: string },
  asked: { first: LocalDate; last: LocalDate },
): Promise<Early> => {
  const dates = { first: addDays(asked.first, -1), last: addDays(asked.last, 1) };
  return { dates, plan: await readSeriesPlan(db, of, dates, AROUND) };
};

/** Plans a series by what its pointers and windows say, in one question; that may have been asked already. */
export const planSeries = async (
  deps: Pick<ReadDeps, "db">,
  asked: Asked,
  grid: Grid,
  early: Early | null,
): Promise<Planned> => {
  const days = daysOf(grid);
  const dates = { first: fromEpochDay(days.from), last: fromEpochDay(days.to - 1) };
  const of = { athlete_id: asked.athlete_id, metric: asked.metric.key };
  const isIn = early !== null && early.dates.first <= dates.first && early.dates.last >= dates.last;
  const plan = isIn ? early.plan : await readSeriesPlan(deps.db, of, dates, AROUND);
  const disturbed = disturbedDays(plan, days, grid.by);
  const spans = grid.by === "local_date" ? disturbed : disturbed.map(instantsOf);
  const segments = segmentsOf(grid.range, spans).flatMap((segment) => (segment.rows ? [segment] : cut(segment, grid)));
  return { plan, segments };
};

/** Whether the object can hold rows of a segment that is at rest. */
const holds = (pointer: SeriesPointer, { by }: Grid, { from, to }: Span): boolean => {
  const { period_start, period_end, first, last, plain, watched } = pointer;
  if (!plain || !watched) return false;
  if (by === "local_date") return epochDay(period_start) < to && epochDay(period_end) >= from;
  return first !== null && last !== null && first < to && last >= from;
};

/** Of a month one request for its columns; a day's object is small enough to be read whole. */
const fetchPart = async (
  { objects, parquet }: ReadDeps,
  { object_key, footer }: SeriesPointer,
  metric: string,
): Promise<SeriesPart | null> => {
  if (footer === null) return { bytes: await objects.get(object_key), from: 0, footer };
  const range = parquet.seriesRange(footer, metric);
  return range && { bytes: await objects.getRange(object_key, range), from: range.from, footer };
};

/** Requests at once, and objects in memory before the next are asked for. */
const CONCURRENCY = 16;
const WAVE = 32;

const edgesOf = ({ zoneAt }: Asked, { by, length }: Grid, at: number) =>
  by === "local_date" ? dayBounds(fromEpochDay(at), zoneAt) : { start_at: at, end_at: at + length, date: null };

/** Discrete buckets of a segment that is at rest, from columns: as rows would give them. Throws ObjectMissing. */
export const columnPoints = async (
  deps: ReadDeps,
  asked: Asked,
  grid: Grid,
  { plan, segment }: { plan: SeriesPlan; segment: Span },
): Promise<unknown[][]> => {
  const pointers = plan.pointers.filter((pointer) => holds(pointer, grid, segment));
  if (pointers.length === 0) return [];
  const base = Math.floor(segment.from / grid.length) * grid.length;
  const count = Math.ceil((segment.to - base) / grid.length);
  const figures = openFigures({ base, length: grid.length, count });
  const turn = slots(CONCURRENCY);
  for (let at = 0; at < pointers.length; at += WAVE) {
    const wave = pointers.slice(at, at + WAVE);
    const parts = await Promise.all(wave.map((pointer) => turn(() => fetchPart(deps, pointer, asked.metric.key))));
    for (const part of parts)
      if (part) figures.add(deps.parquet.decodeSeries(part, asked.metric.key, grid.by), segment);
  }
  return discretePoints([...figures.filled()].map(({ at, ...inside }) => ({ ...edgesOf(asked, grid, at), ...inside })));
};
