import type { MetricDefinition } from "../domain/catalogue.ts";
import { DAY, fromEpochDay } from "../domain/local-day.ts";
import type { AthleteSettings, Instant, LocalDate, Sample } from "../domain/sample.ts";
import { ObjectMissing } from "../flow/ports.ts";
import * as buckets from "./buckets.ts";
import { columnPoints, type Early, type Grid, gridOf, planSeries } from "./columns-read.ts";
import { datesOf, type Resolution, spanOfDates } from "./params.ts";
import { bucketPieces, datePieces, nextSlice, startingIn, withMargin } from "./pieces.ts";
import { readSeries, type ReadDeps } from "./read.ts";
import * as answer from "./samples-answer.ts";
import type { Span } from "./segments.ts";
import { metricBounds } from "./sql.ts";
import { sumOrder } from "./sum-order.ts";
import type { ZoneAt } from "./zone.ts";

export type Asked = {
  athlete_id: string;
  metric: MetricDefinition;
  resolution: Resolution;
  range: { from: Instant; to: Instant };
  settings: AthleteSettings;
  zoneAt: ZoneAt;
  /** What was read along with the settings. */
  early: Early | null;
};

/** Some points of a series, in the order of its columns. */
type Points = unknown[][];

export const isCumulative = ({ metric }: Pick<Asked, "metric">): boolean => metric.aggregation === "C";

/** A series' columns; of buckets by what is added and what is averaged. */
export const columnsOf = (asked: Asked): readonly string[] => {
  if (asked.resolution === "raw") return answer.RAW_COLUMNS;
  const figures = isCumulative(asked) ? answer.CUMULATIVE_COLUMNS : answer.DISCRETE_COLUMNS;
  return asked.resolution === "1d" ? ["date", ...figures] : figures;
};

/** Samples in slices of the time line, each of one moment: what began before a slice is in the one before it. */
async function* rawSlices(deps: ReadDeps, asked: Asked): AsyncGenerator<Points> {
  const { athlete_id, metric, range } = asked;
  let before: { length: number; samples: number } | null = null;
  for (let { from } = range; from < range.to;) {
    const to: Instant = Math.min(range.to, from + nextSlice(before));
    const { live } = await readSeries(deps, { athlete_id, metric: metric.key, from, to });
    const first = from;
    const rows: readonly Sample[] = before === null ? live : live.filter(({ start_at }) => start_at >= first);
    yield answer.rawPoints(rows);
    before = { length: to - from, samples: rows.length };
    from = to;
  }
}

type Dates = { first: LocalDate; last: LocalDate };

/** Local days, a month of samples in memory at a time: years of heart rates would take gigabytes. */
async function* dayPieces(deps: ReadDeps, asked: Asked, all: Dates): AsyncGenerator<Points> {
  const order = sumOrder(asked.metric, asked.settings);
  for (const dates of datePieces(all)) {
    const span = spanOfDates(dates);
    const { live } = await readSeries(deps, { athlete_id: asked.athlete_id, metric: asked.metric.key, ...span });
    const range = { ...dates, zoneAt: asked.zoneAt };
    yield isCumulative(asked)
      ? answer.cumulativePoints(buckets.cumulativeDays(live, range, order))
      : answer.discretePoints(buckets.discreteDays(live, range));
  }
}

async function* lengthPieces(deps: ReadDeps, asked: Asked, range: Span, length: number): AsyncGenerator<Points> {
  const order = sumOrder(asked.metric, asked.settings);
  for (const piece of bucketPieces(range, length)) {
    const margin = isCumulative(asked) ? piece : withMargin(piece, asked.range);
    const { live } = await readSeries(deps, { athlete_id: asked.athlete_id, metric: asked.metric.key, ...margin });
    yield isCumulative(asked)
      ? answer.cumulativePoints(buckets.cumulativeBuckets(live, length, piece, order))
      : answer.discretePoints(buckets.discreteBuckets(startingIn(live, piece, margin), length));
  }
}

const TRIES = 5;

/**
 * Figures of what is at rest from columns, of all else from rows. Where an object is gone, the rest of the series is
 * planned again.
 */
async function* discretePieces(deps: ReadDeps, asked: Asked, grid: Grid, attempt = 1): AsyncGenerator<Points> {
  const { plan, segments } = await planSeries(deps, asked, grid, attempt === 1 ? asked.early : null);
  deps.versions?.add(plan.version);
  for (const segment of segments) {
    const { from, to } = segment;
    if (segment.rows && grid.by === "start_at") yield* lengthPieces(deps, asked, segment, grid.length);
    else if (segment.rows) yield* dayPieces(deps, asked, { first: fromEpochDay(from), last: fromEpochDay(to - 1) });
    else {
      try {
        yield await columnPoints(deps, asked, grid, { plan, segment });
      } catch (error) {
        if (!(error instanceof ObjectMissing) || attempt === TRIES) throw error;
        yield* discretePieces(deps, asked, { ...grid, range: { from, to: grid.range.to } }, attempt + 1);
        return;
      }
    }
  }
}

/** Farther than this from the days of its metric no sample lies: its zone, its length (D5), an athlete's move. */
const AROUND = 7 * DAY;

/** The part of the range in which there can be samples at all, or null. Nothing is asked of empty decades. */
const withSamples = async (deps: ReadDeps, asked: Asked): Promise<Asked | null> => {
  const bounds = await metricBounds(deps.db, asked.athlete_id, asked.metric.key);
  if (bounds === null) return null;
  const from = Math.max(asked.range.from, bounds.first - AROUND);
  const to = Math.min(asked.range.to, bounds.last + AROUND);
  return from < to ? { ...asked, range: { from, to } } : null;
};

/** A whole series in pieces of bounded size, in order: together what pages hold, once each. */
export async function* seriesPieces(deps: ReadDeps, asked: Asked): AsyncGenerator<Points> {
  const reading: ReadDeps = { ...deps, recent: new Map() };
  if (asked.resolution !== "raw" && !isCumulative(asked)) {
    yield* discretePieces(reading, asked, gridOf(asked));
    return;
  }
  const narrowed = await withSamples(deps, asked);
  if (narrowed === null) return;
  if (narrowed.resolution === "raw") yield* rawSlices(reading, narrowed);
  else if (narrowed.resolution === "1d") yield* dayPieces(reading, narrowed, datesOf(narrowed.range, asked.zoneAt));
  else yield* lengthPieces(reading, narrowed, narrowed.range, buckets.LENGTHS[narrowed.resolution]);
}
