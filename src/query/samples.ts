import { Type } from "typebox";
import { METRICS, type MetricDefinition, aggregationStyle } from "../domain/catalogue.ts";
import { DAY, isLocalDate } from "../domain/local-day.ts";
import { readAthlete } from "../flow/athletes.ts";
import type { Clock, ParquetFormat } from "../flow/ports.ts";
import type { Route, RouteRequest } from "../flow/route.ts";
import { FORMATS, type Format, MEDIA, acceptedFormat, seriesWriter } from "./formats.ts";
import { type Early, planEarly } from "./columns-read.ts";
import * as params from "./params.ts";
import { readSeries, type ReadDeps } from "./read.ts";
import * as answer from "./samples-answer.ts";
import { type Asked, columnsOf, isCumulative, seriesPieces } from "./samples-series.ts";
import { createStreams } from "./samples-stream.ts";
import { newestZone, zonesOf } from "./zone.ts";

export type QueryDeps = ReadDeps & { clock: Clock };
export type SamplesDeps = QueryDeps & { parquet: Pick<ParquetFormat, "openTable"> };

const querySchema = Type.Object({
  metric: Type.String({ description: "Canonical key", examples: METRICS.map(({ key }) => key) }),
  from: Type.Optional(Type.String({ description: "Instant or local date; a day (1d: 30 days) before `to` if absent" })),
  to: Type.Optional(Type.String({ description: "Instant (exclusive) or local date (inclusive); now if absent" })),
  resolution: Type.Optional(Type.String({ description: `${params.RESOLUTIONS.join(", ")}; raw if absent` })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: params.MAX_LIMIT, description: "Points a page of raw" })),
  cursor: Type.Optional(Type.String({ description: "`next` of the page before" })),
  format: Type.Optional(
    Type.Union(
      FORMATS.map((format) => Type.Literal(format)),
      {
        description:
          "The whole series as a stream, of any span; the Accept header may name ndjson, csv or parquet instead. " +
          "Absent (or json with limit or cursor): JSON in pages. An answer that breaks off is not whole",
      },
    ),
  ),
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

type Query = {
  metric: string;
  from?: string;
  to?: string;
  resolution?: string;
  limit?: number;
  cursor?: string;
  format?: Format;
};
type Points = { points: unknown[][]; next: string | null };

const resolutionOf = (text = "raw"): params.Resolution => {
  const found = params.RESOLUTIONS.find((resolution) => resolution === text);
  if (found) return found;
  throw params.badParameter("resolution", `"${text.slice(0, 32)}" is none of ${params.RESOLUTIONS.join(", ")}`);
};

const rawPage = async (deps: QueryDeps, asked: Asked, query: Query): Promise<Points> => {
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
    if (complete || page.points.length === limit) return page;
  }
};

const MOMENTS = 3;
/** Of what is read at once: longer answers are of several moments while much is written. */
const ONE_MOMENT = 28 * DAY;

/** Parts of a short answer are of one moment, as a page is: where a pane was faster, it is made again. */
const allPoints = async (deps: QueryDeps, asked: Asked): Promise<Points> => {
  for (let attempt = 1; ; attempt += 1) {
    const versions = new Set<number>();
    const points: unknown[][] = [];
    const now = attempt === 1 ? asked : { ...asked, early: null };
    for await (const some of seriesPieces({ ...deps, versions }, now)) for (const point of some) points.push(point);
    const { from, to } = asked.range;
    if (versions.size <= 1 || to - from > ONE_MOMENT || attempt === MOMENTS) return { points, next: null };
  }
};

/** In pages or whole: other formats than JSON have no pages, and JSON is whole where it is asked for by name. */
const formOf = ({ format, limit, cursor }: Query, accept: string | undefined): { format: Format; whole: boolean } => {
  const chosen = format ?? acceptedFormat(accept) ?? "json";
  const paged = limit === undefined ? (cursor === undefined ? null : "cursor") : "limit";
  if (chosen !== "json" && paged !== null) {
    throw params.badParameter(paged, `only JSON comes in pages; ${chosen} is streamed whole: leave ${paged} out`);
  }
  return { format: chosen, whole: chosen !== "json" || (format !== undefined && paged === null) };
};

/** Where dates are asked for, what a series is read from need not wait for the zones that they are meant in. */
const earlyPlan = async (
  deps: QueryDeps,
  athlete_id: string,
  { metric, resolution, query }: { metric: MetricDefinition; resolution: params.Resolution; query: Query },
): Promise<Early | null> => {
  const { from: first = "", to: last = "" } = query;
  if (resolution === "raw" || isCumulative({ metric })) return null;
  if (!isLocalDate(first) || !isLocalDate(last) || first > last) return null;
  params.checkYear("to", last);
  params.checkYear("from", first);
  return planEarly(deps, { athlete_id, metric: metric.key }, { first, last });
};

const askedBy = async (deps: QueryDeps, request: RouteRequest): Promise<Asked> => {
  const query = request.query as Query;
  const athleteId = request.athlete_id ?? "";
  const metric = params.metricParameter(query.metric);
  const resolution = resolutionOf(query.resolution);
  const [{ settings }, newest, early] = await Promise.all([
    readAthlete(deps.db, athleteId),
    newestZone(deps, athleteId),
    earlyPlan(deps, athleteId, { metric, resolution, query }),
  ]);
  const zoneAt = zonesOf(settings, newest);
  const span = resolution === "1d" ? 30 * DAY : DAY;
  const range = params.rangeParameters(query, deps.clock.now(), span, zoneAt);
  return { athlete_id: athleteId, metric, resolution, range, settings, zoneAt, early };
};

const headOf = ({ athlete_id, metric, resolution, range, zoneAt }: Asked): Record<string, unknown> => ({
  athlete_id,
  metric: metric.key,
  unit: metric.unit,
  aggregation: aggregationStyle(metric),
  resolution,
  tz: zoneAt(range.to - 1),
  from: answer.iso(range.from),
  to: answer.iso(range.to),
});

/** What the answer is depends on what is accepted: caches must know. */
const VARY = { vary: "accept" };

const samplesHandler = (deps: SamplesDeps): Route["handler"] => {
  const stream = createStreams();
  return async (request) => {
    const query = request.query as Query;
    const { format, whole } = formOf(query, request.headers["accept"]);
    const asked = await askedBy(deps, request);
    const [head, columns] = [headOf(asked), columnsOf(asked)];
    if (whole) {
      const writer = seriesWriter(format, { head, columns }, deps.parquet);
      const name = `${asked.metric.key}-${asked.resolution}.${format}`;
      const headers = { "content-type": MEDIA[format], "content-disposition": `inline; filename="${name}"`, ...VARY };
      return { status: 200, body: await stream(seriesPieces(deps, asked), writer), headers };
    }
    params.checkSpan(asked.resolution, asked.range);
    const points = await (asked.resolution === "raw" ? rawPage(deps, asked, query) : allPoints(deps, asked));
    return { status: 200, body: { ...head, columns, ...points }, headers: VARY };
  };
};

export const samplesRoute = (deps: SamplesDeps): Route => ({
  method: "GET",
  path: "/v1/athletes/{athlete_id}/samples",
  scope: "read",
  summary: "One series over staging and Parquet alike: raw samples in pages, or buckets; or whole, as a stream",
  schema: {
    query: querySchema,
    responses: { 200: { description: "The series", schema: answerSchema, media: Object.values(MEDIA).slice(1) } },
  },
  handler: samplesHandler(deps),
});
