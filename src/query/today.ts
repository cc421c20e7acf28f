import { Type } from "typebox";
import { aggregationStyle, type AggregationStyle, METRICS, type MetricDefinition } from "../domain/catalogue.ts";
import { dayEnd, dayStart, localDate } from "../domain/local-day.ts";
import type { AthleteSettings, Instant, Sample } from "../domain/sample.ts";
import { effectiveEnd } from "../domain/interval.ts";
import { readAthlete } from "../flow/athletes.ts";
import type { Route } from "../flow/route.ts";
import { figuresOf, type SumOrder, sumWithin, withoutShadowedAggregates } from "./buckets.ts";
import { readSeries } from "./read.ts";
import { iso } from "./samples-answer.ts";
import type { QueryDeps } from "./samples.ts";
import { sumOrder } from "./sum-order.ts";
import { newestZone, zonesOf } from "./zone.ts";

export type DayBounds = { from: Instant; to: Instant };

export type TodayMetric = {
  metric: string;
  unit: string;
  aggregation: AggregationStyle;
  latest: { at: string; value: number };
  aggregate: Record<string, number>;
  /** [start, end, value], ascending. */
  points: [string, string, number][];
};

const metricToday = (
  metric: MetricDefinition,
  samples: readonly Sample[],
  day: DayBounds,
  order: SumOrder,
): TodayMetric | null => {
  const cumulative = metric.aggregation === "C";
  // A discrete sample belongs to the day of its start; a cumulative one is shared out by time (localday/1).
  const inside = samples.filter(
    (s) => s.start_at < day.to && (cumulative ? effectiveEnd(s) > day.from : s.start_at >= day.from),
  );
  const latest = inside.at(-1);
  if (!latest) return null;
  const figures = cumulative ? null : figuresOf(withoutShadowedAggregates(inside));
  return {
    metric: metric.key,
    unit: metric.unit,
    aggregation: aggregationStyle(metric),
    latest: { at: iso(latest.end_at), value: latest.value },
    aggregate: figures ?? { sum: sumWithin(inside, day.from, day.to, order) },
    points: inside.map((s) => [iso(s.start_at), iso(s.end_at), s.value]),
  };
};

/** Per metric what the day holds so far. `live` is sorted by metric and start; metrics without samples are left out. */
export const summarizeDay = (live: readonly Sample[], day: DayBounds, settings: AthleteSettings): TodayMetric[] => {
  const byMetric = Map.groupBy(live, (sample) => sample.metric);
  return METRICS.flatMap((metric) => {
    const summary = metricToday(metric, byMetric.get(metric.key) ?? [], day, sumOrder(metric, settings));
    return summary === null ? [] : [summary];
  });
};

const answerSchema = Type.Object({
  athlete_id: Type.String(),
  local_date: Type.String(),
  tz: Type.String(),
  from: Type.String({ description: "First instant of the local day" }),
  to: Type.String({ description: "First instant of the next one" }),
  metrics: Type.Array(
    Type.Object({
      metric: Type.String(),
      unit: Type.String(),
      aggregation: Type.String({ description: "cumulative, discrete or category" }),
      latest: Type.Object({ at: Type.String(), value: Type.Number() }),
      aggregate: Type.Record(Type.String(), Type.Number()),
      points: Type.Array(Type.Array(Type.Unknown()), { description: "[start, end, value]" }),
    }),
  ),
});

/**
 * An open day stands in staging; objects are read only where they reach into it: a walk over midnight, or a day that
 * had closed where the athlete was before.
 */
const readToday = async (deps: QueryDeps, athleteId: string): Promise<Record<string, unknown>> => {
  const now = deps.clock.now();
  const { settings } = await readAthlete(deps.db, athleteId);
  const tz = zonesOf(settings, await newestZone(deps, athleteId))(now);
  const date = localDate(now, tz);
  const day = { from: dayStart(date, tz), to: dayEnd(date, tz) };
  const { live } = await readSeries(deps, { athlete_id: athleteId, metric: null, ...day });
  return {
    athlete_id: athleteId,
    local_date: date,
    tz,
    from: iso(day.from),
    to: iso(day.to),
    metrics: summarizeDay(live, day, settings),
  };
};

export const todayRoute = (deps: QueryDeps): Route => ({
  method: "GET",
  path: "/v1/athletes/{athlete_id}/today",
  scope: "read",
  summary: "The current local day: per metric the latest value, the aggregate so far, and the points",
  schema: { responses: { 200: { description: "Today", schema: answerSchema } } },
  handler: async (request) => ({ status: 200, body: await readToday(deps, request.athlete_id ?? "") }),
});
