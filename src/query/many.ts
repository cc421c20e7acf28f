import { Type } from "typebox";
import { METRICS } from "../domain/catalogue.ts";
import { isAthleteId } from "../domain/ids.ts";
import { addDays, localDate } from "../domain/local-day.ts";
import type { Instant } from "../domain/sample.ts";
import { Problem, type Route, type RouteRequest } from "../flow/route.ts";
import { type ManyRow, effectiveRows, lastSamples, lastSyncs, nextAthletes } from "./many-sql.ts";
import { metricsQuery, valueSchema } from "./metrics.ts";
import { badParameter } from "./params.ts";
import { iso } from "./samples-answer.ts";
import type { QueryDeps } from "./samples.ts";

const [DEFAULT_LIMIT, MAX_LIMIT, MAX_NAMED, MAX_DAYS, SEEN_DAYS] = [50, 200, 1000, 92, 90];
const SLEEP_METRICS = ["sleep_score", "sleep_duration", "sleep_efficiency", "sleep_latency"];

const querySchema = Type.Object({
  athletes: Type.Optional(
    Type.String({ description: `Ids with commas, at most ${MAX_NAMED}; absent: all of the token` }),
  ),
  from: Type.Optional(Type.String({ description: "Local date; 6 days before `to` if absent" })),
  to: Type.Optional(Type.String({ description: `Local date, inclusive; at most ${MAX_DAYS} days after \`from\`` })),
  metric: Type.Optional(Type.String({ description: "Metrics with commas; absent: all" })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT, description: "Athletes a page" })),
  cursor: Type.Optional(Type.String({ description: "`next` of the page before" })),
});

const answerSchema = Type.Object({
  athletes: Type.Array(
    Type.Object({
      athlete_id: Type.String(),
      last_sync: Type.Union([Type.String(), Type.Null()], { description: "When the newest batch was received" }),
      last_samples: Type.Record(Type.String(), Type.String(), {
        description: `Start of the newest sample behind each metric in the last ${SEEN_DAYS} days; absent: there is none, which is not zero`,
      }),
      metrics: Type.Array(valueSchema),
    }),
  ),
  next: Type.Union([Type.String(), Type.Null()]),
});

type Query = { athletes?: string; from?: string; to?: string; metric?: string; limit?: number; cursor?: string };

/** The athletes that are asked for; null for everybody. Throws Problem 400 and 403 (I9). */
const namedAthletes = (query: Query, allowed: RouteRequest["athletes"]): readonly string[] | null => {
  if (query.athletes === undefined) return allowed === "*" ? null : allowed;
  const named = [...new Set(query.athletes.split(","))];
  const strange = named.find((id) => !isAthleteId(id));
  if (strange !== undefined)
    throw badParameter("athletes", `"${strange.slice(0, 64)}" is no athlete id; put commas between ids`);
  if (named.length > MAX_NAMED) throw badParameter("athletes", `at most ${MAX_NAMED} at a time`);
  if (allowed !== "*" && !named.every((id) => allowed.includes(id))) {
    throw new Problem(403, "the token may not act for all of these athletes");
  }
  return named;
};

const cursorOf = (text: string | undefined): string => {
  if (text === undefined) return "";
  const id = Buffer.from(text, "base64url").toString("utf8");
  if (!isAthleteId(id)) throw badParameter("cursor", "is not one that was given as next; start again without it");
  return id;
};

/** The athlete metrics behind which a sample metric stands. */
const metricsOf = new Map([
  ...METRICS.flatMap(({ key, daily }): [string, string[]][] => (daily === null ? [] : [[key, [daily.metric]]])),
  ["sleep_analysis", SLEEP_METRICS] as const,
]);

const newestBy = (rows: readonly { metric: string; at: Instant }[], asked: readonly string[] | null) => {
  const newest = new Map<string, Instant>();
  for (const { metric, at } of rows)
    for (const name of metricsOf.get(metric) ?? [])
      if (asked === null || asked.includes(name)) newest.set(name, Math.max(at, newest.get(name) ?? at));
  return Object.fromEntries([...newest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, at]) => [name, iso(at)]));
};

const withoutId = ({ athlete_id: _, ...row }: ManyRow) => row;

const readMany = async (deps: QueryDeps, request: RouteRequest): Promise<Record<string, unknown>> => {
  const query: Query = request.query;
  const now = deps.clock.now();
  const { to } = metricsQuery(query.to === undefined ? {} : { to: query.to }, now);
  const metrics = query.metric === undefined ? null : query.metric.split(",");
  for (const metric of metrics ?? []) metricsQuery({ metric }, now);
  const range = metricsQuery({ from: query.from ?? addDays(to, -6), to }, now);
  if (addDays(range.from, MAX_DAYS) < range.to) throw badParameter("from", `at most ${MAX_DAYS} days at a time`);
  const limit = query.limit ?? DEFAULT_LIMIT;
  const named = namedAthletes(query, request.athletes);
  const found = await nextAthletes(deps.db, { named, after: cursorOf(query.cursor), limit: limit + 1 });
  const page = found.slice(0, limit);
  const [rows, seen, syncs] = await Promise.all([
    effectiveRows(deps.db, page, { ...range, metrics }),
    lastSamples(deps.db, page, addDays(localDate(now, "UTC"), -SEEN_DAYS)),
    lastSyncs(deps.db, page),
  ]);
  const rowsOf = Map.groupBy(rows, (row) => row.athlete_id);
  const seenOf = Map.groupBy(seen, (row) => row.athlete_id);
  const syncOf = new Map(syncs.map((row) => [row.athlete_id, iso(row.at)]));
  const last = page.at(-1);
  return {
    athletes: page.map((athlete_id) => ({
      athlete_id,
      last_sync: syncOf.get(athlete_id) ?? null,
      last_samples: newestBy(seenOf.get(athlete_id) ?? [], metrics),
      metrics: (rowsOf.get(athlete_id) ?? []).map(withoutId),
    })),
    next: found.length > limit && last !== undefined ? Buffer.from(last).toString("base64url") : null,
  };
};

/** A coach's view: effective values of many athletes in one call, and since when nothing came. */
export const manyRoute = (deps: QueryDeps): Route => ({
  method: "GET",
  path: "/v1/metrics",
  scope: "read",
  summary: "Effective daily values of many athletes, paged by athlete, with the last sample and the last sync of each",
  schema: { query: querySchema, responses: { 200: { description: "Athletes", schema: answerSchema } } },
  handler: async (request) => ({ status: 200, body: await readMany(deps, request) }),
});
