import { Type } from "typebox";
import { METRICS, aggregationStyle, type MetricDefinition } from "../domain/catalogue.ts";
import { DAY } from "../domain/local-day.ts";
import type { AthleteSettings, Instant } from "../domain/sample.ts";
import { readAthlete } from "../flow/athletes.ts";
import type { Clock } from "../flow/ports.ts";
import type { Route, RouteRequest } from "../flow/route.ts";
import * as buckets from "./buckets.ts";
import * as params from "./params.ts";
import { bucketPieces, datePieces, startingIn, withMargin } from "./pieces.ts";
import { readSeries, type ReadDeps } from "./read.ts";
import * as answer from "./samples-answer.ts";
import { sumOrder } from "./sum-order.ts";
import { newestZone, zonesOf, type ZoneAt } from "./zone.ts";

export type QueryDeps = ReadDeps & { clock: Clock };

const querySchema = Type.Object({
  metric: Type.String({ description: "Canonical key", examples: METRICS.map(({ key }) => key) }),
  from: Type.Optional(Type.String({ description: "Instant or local date; a day (1d: 30 days) before `to` if absent" })),
  to: Type.Optional(Type.String({ description: "Instant (exclusive) or local date (inclusive); now if absent" })),
  resolution: Type.Optional(Type.String({ description: `${params.RESOLUTIONS.join(", ")}; raw if absent` })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: params.MAX_LIMIT, description: "Points a page of raw" })),
  cursor: Type.Optional(Type.String({ description: "`next` of the page before" })),
});

const answerSchema = Type.Object({
  athlete_id: Type.String(),
  metric: Type.String(),
  unit: Type.String(),
  aggregation: Type.String({ description: "cumulative: sums; discrete and category: min, mean, max, count" }),
  resolution: Type.String(),
  tz: Type.String({ description: "In which local dates are meant" }),
  from: Type.String(),
  to: Type.String(),
  columns: Type.Array(Type.String()),
  points: Type.Array(Type.Array(Type.Unknown())),
  next: Type.Union([Type.String(), Type.Null()]),
});

type Query = { metric: string; from?: string; to?: string; resolution?: string; limit?: number; cursor?: string };
type Asked = {
  athlete_id: string;
  metric: MetricDefinition;
  range: { from: Instant; to: Instant };
  settings: AthleteSettings;
  zoneAt: ZoneAt;
};
type Points = { columns: readonly string[]; points: unknown[][]; next: string | null };

const resolutionOf = (text = "raw"): params.Resolution => {
  const found = params.RESOLUTIONS.find((resolution) => resolution === text);
  if (found) return found;
  throw params.badParameter("resolution", `"${text.slice(0, 32)}" is none of ${params.RESOLUTIONS.join(", ")}`);
};

const rawPoints = async (deps: QueryDeps, asked: Asked, query: Query): Promise<Points> => {
  const limit = query.limit ?? params.DEFAULT_LIMIT;
  const cursor = query.cursor === undefined ? null : params.cursorParameter(query.cursor);
  const { from, to } = asked.range;
  const begin = cursor === null ? from : Math.min(Math.max(from, cursor.start_at), to - 1);
  // Deletions and twins may leave less than a page of what was read: then read further.
  for (let enough = limit; ; enough *= 4) {
    const request = { athlete_id: asked.athlete_id, metric: asked.metric.key, from: begin, to, enough };
    const series = await readSeries(deps, request);
    const complete = series.until >= to;
    const page = answer.rawPage(series.live, { cursor, limit, complete });
    if (complete || page.points.length === limit) return { columns: answer.RAW_COLUMNS, ...page };
  }
};

/** Local days, a month of samples in memory at a time: years of heart rates would take gigabytes. */
const dayPoints = async (deps: QueryDeps, asked: Asked): Promise<Points> => {
  const cumulative = asked.metric.aggregation === "C";
  const order = sumOrder(asked.metric, asked.settings);
  const points: unknown[][] = [];
  for (const dates of datePieces(params.datesOf(asked.range, asked.zoneAt))) {
    const span = params.spanOfDates(dates);
    const { live } = await readSeries(deps, { athlete_id: asked.athlete_id, metric: asked.metric.key, ...span });
    const range = { ...dates, zoneAt: asked.zoneAt };
    const days = cumulative
      ? answer.cumulativePoints(buckets.cumulativeDays(live, range, order))
      : answer.discretePoints(buckets.discreteDays(live, range));
    for (const day of days) points.push(day);
  }
  return {
    columns: ["date", ...(cumulative ? answer.CUMULATIVE_COLUMNS : answer.DISCRETE_COLUMNS)],
    points,
    next: null,
  };
};

const bucketPoints = async (deps: QueryDeps, asked: Asked, length: number): Promise<Points> => {
  const cumulative = asked.metric.aggregation === "C";
  const order = sumOrder(asked.metric, asked.settings);
  const points: unknown[][] = [];
  for (const piece of bucketPieces(asked.range, length)) {
    const margin = cumulative ? piece : withMargin(piece, asked.range);
    const { live } = await readSeries(deps, { athlete_id: asked.athlete_id, metric: asked.metric.key, ...margin });
    const some = cumulative
      ? answer.cumulativePoints(buckets.cumulativeBuckets(live, length, piece, order))
      : answer.discretePoints(buckets.discreteBuckets(startingIn(live, piece, margin), length));
    for (const bucket of some) points.push(bucket);
  }
  return { columns: cumulative ? answer.CUMULATIVE_COLUMNS : answer.DISCRETE_COLUMNS, points, next: null };
};

const handler = async (deps: QueryDeps, request: RouteRequest): Promise<Record<string, unknown>> => {
  const query = request.query as Query;
  const athleteId = request.athlete_id ?? "";
  const metric = params.metricParameter(query.metric);
  const resolution = resolutionOf(query.resolution);
  const { settings } = await readAthlete(deps.db, athleteId);
  const zoneAt = zonesOf(settings, await newestZone(deps, athleteId));
  const span = resolution === "1d" ? 30 * DAY : DAY;
  const range = params.rangeParameters(query, deps.clock.now(), span, zoneAt);
  params.checkSpan(resolution, range);
  const asked: Asked = { athlete_id: athleteId, metric, range, settings, zoneAt };
  const points = await (resolution === "raw"
    ? rawPoints(deps, asked, query)
    : resolution === "1d"
      ? dayPoints(deps, asked)
      : bucketPoints(deps, asked, buckets.LENGTHS[resolution]));
  return {
    athlete_id: athleteId,
    metric: metric.key,
    unit: metric.unit,
    aggregation: aggregationStyle(metric),
    resolution,
    tz: zoneAt(range.to - 1),
    from: answer.iso(range.from),
    to: answer.iso(range.to),
    ...points,
  };
};

export const samplesRoute = (deps: QueryDeps): Route => ({
  method: "GET",
  path: "/v1/athletes/{athlete_id}/samples",
  scope: "read",
  summary: "One series over staging and Parquet alike: raw samples in pages, or buckets",
  schema: { query: querySchema, responses: { 200: { description: "The series", schema: answerSchema } } },
  handler: async (request) => ({ status: 200, body: await handler(deps, request) }),
});
