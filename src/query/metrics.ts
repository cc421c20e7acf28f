import { Type } from "typebox";
import { addDays, isLocalDate, localDate } from "../domain/local-day.ts";
import type { Instant, LocalDate } from "../domain/sample.ts";
import type { Database } from "../flow/ports.ts";
import type { Route } from "../flow/route.ts";
import { badParameter, checkYear } from "./params.ts";
import { iso } from "./samples-answer.ts";
import type { QueryDeps } from "./samples.ts";

const SOURCES = ["apple_health", "derived", "manual"] as const;
const VIEWS = { effective: "athlete_metrics_effective", all: "athlete_metrics" } as const;
const DEFAULT_DAYS = 30;
const MAX_ROWS_DAYS = 4000;

const querySchema = Type.Object({
  from: Type.Optional(Type.String({ description: `Local date; ${DEFAULT_DAYS} days before \`to\` if absent` })),
  to: Type.Optional(Type.String({ description: "Local date, inclusive; the latest there can be if absent" })),
  metric: Type.Optional(Type.String()),
  source: Type.Optional(Type.String({ description: SOURCES.join(", ") })),
  view: Type.Optional(Type.String({ description: "effective (one row a metric and day, default) or all" })),
});

/** What every answer tells of a daily value. */
export const valueSchema = Type.Object({
  date: Type.String(),
  metric: Type.String(),
  source: Type.String(),
  value: Type.Union([Type.Number(), Type.Null()]),
  unit: Type.String(),
  locked: Type.Boolean(),
  is_final: Type.Boolean(),
  revision: Type.Integer(),
});

const answerSchema = Type.Object({
  athlete_id: Type.String(),
  metrics: Type.Array(
    Type.Object({
      ...valueSchema.properties,
      method: Type.Union([Type.String(), Type.Null()]),
      updated_at: Type.String(),
    }),
  ),
});

type Query = { from?: string; to?: string; metric?: string; source?: string; view?: string };
export type MetricsQuery = {
  from: LocalDate;
  to: LocalDate;
  metric: string | null;
  source: (typeof SOURCES)[number] | null;
  view: keyof typeof VIEWS;
};

const dateParameter = (path: "from" | "to", text: string | undefined, fallback: LocalDate): LocalDate => {
  if (text === undefined) return fallback;
  if (!isLocalDate(text)) throw badParameter(path, "write a local date like 2026-11-21");
  checkYear(path, text);
  return text;
};

const oneOf = <Value extends string>(path: string, text: string, known: readonly Value[]): Value => {
  const found = known.find((value) => value === text);
  if (found === undefined) throw badParameter(path, `"${text.slice(0, 64)}" is none of ${known.join(", ")}`);
  return found;
};

/** The `source` of a query; null where it is absent. Throws Problem 400. */
export const sourceParameter = (source: string | undefined): MetricsQuery["source"] =>
  source === undefined ? null : oneOf("source", source, SOURCES);

/** Checks and completes what was asked. Throws Problem 400. Today is the date that the most eastern zone has. */
export const metricsQuery = (query: Query, now: Instant): MetricsQuery => {
  const to = dateParameter("to", query.to, localDate(now, "+14:00"));
  const from = dateParameter("from", query.from, addDays(to, -DEFAULT_DAYS));
  if (from > to) throw badParameter("from", `must not be after to (${from} is after ${to})`);
  if (addDays(from, MAX_ROWS_DAYS) < to) throw badParameter("from", `at most ${MAX_ROWS_DAYS} days at a time`);
  if (query.metric !== undefined && !/^[a-z][a-z0-9_]{0,63}$/.test(query.metric)) {
    throw badParameter("metric", "a metric's key is lower-case letters, digits and _, for instance resting_hr");
  }
  return {
    from,
    to,
    metric: query.metric ?? null,
    source: sourceParameter(query.source),
    view: oneOf("view", query.view ?? "effective", Object.keys(VIEWS) as (keyof typeof VIEWS)[]),
  };
};

type Row = { updated_at: Instant } & Record<string, unknown>;

const readMetrics = async (
  db: Database,
  athleteId: string,
  asked: MetricsQuery,
): Promise<Record<string, unknown>[]> => {
  const rows = await db.query<Row>(
    `select date, metric, source, value, unit, locked, is_final, method, revision, updated_at
     from ${VIEWS[asked.view]} where athlete_id = $1 and date between $2::date and $3::date
       and ($4::text is null or metric = $4) and ($5::text is null or source = $5)
     order by date, metric, source`,
    [athleteId, asked.from, asked.to, asked.metric, asked.source],
  );
  return rows.map((row) => Object.assign(row, { updated_at: iso(row.updated_at) }));
};

export const metricsRoute = (deps: QueryDeps): Route => ({
  method: "GET",
  path: "/v1/athletes/{athlete_id}/metrics",
  scope: "read",
  summary: "Daily values: the effective one a day and metric, or those of all sources",
  schema: { query: querySchema, responses: { 200: { description: "Daily values", schema: answerSchema } } },
  handler: async (request) => {
    const athleteId = request.athlete_id ?? "";
    const asked = metricsQuery(request.query, deps.clock.now());
    return { status: 200, body: { athlete_id: athleteId, metrics: await readMetrics(deps.db, athleteId, asked) } };
  },
});
