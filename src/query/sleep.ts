import { Type } from "typebox";
import { isUuid } from "../domain/ids.ts";
import { type StreamRow, sessionStreams } from "../domain/sleep/streams.ts";
import { ObjectMissing, type ParquetFormat } from "../flow/ports.ts";
import { Problem, type Route, type RouteRequest } from "../flow/route.ts";
import { metricsQuery } from "./metrics.ts";
import { readSeries } from "./read.ts";
import type { QueryDeps } from "./samples.ts";
import { nightSchema, sessionAnswer, sessionsSchema, streamsAnswer } from "./sleep-answer.ts";
import { explainSession } from "./sleep-explain.ts";
import { type FoundSession, findSession, readSessions } from "./sleep-sql.ts";

export type SleepDeps = QueryDeps & { parquet: Pick<ParquetFormat, "decodeSleep"> };

const TRIES = 5;

const querySchema = Type.Object({
  from: Type.Optional(Type.String({ description: "Local date of the wake; 30 days before `to` if absent" })),
  to: Type.Optional(Type.String({ description: "Local date, inclusive; the latest there can be if absent" })),
});

const listRoute = (deps: SleepDeps): Route => ({
  method: "GET",
  path: "/v1/athletes/{athlete_id}/sleep",
  scope: "read",
  summary: "Sleep sessions by wake date: main sleeps, naps, nights in bed only, and what other sources told of them",
  schema: { query: querySchema, responses: { 200: { description: "Sessions", schema: sessionsSchema } } },
  handler: async ({ athlete_id, query }) => {
    const athleteId = athlete_id ?? "";
    const sessions = await readSessions(deps.db, athleteId, metricsQuery(query, deps.clock.now()));
    return { status: 200, body: { athlete_id: athleteId, sessions: sessions.map(sessionAnswer) } };
  },
});

/** The session that the path names. Throws Problem 404. */
const named = async (deps: SleepDeps, { athlete_id, params }: RouteRequest): Promise<FoundSession> => {
  const id = params["session_id"] ?? "";
  const session = isUuid(id) ? await findSession(deps.db, athlete_id ?? "", id) : null;
  if (session !== null) return session;
  const detail = "there is no such session; a correction may have given it another id: list them at /sleep?from=&to=";
  throw new Problem(404, detail, { errors: [{ path: "session_id", detail }] });
};

/**
 * The session's streams: from its object once its day has closed, else made of its samples as the pane would, so that
 * there is no gap meanwhile (I8). Throws ObjectMissing where a pane superseded the object since the row was read.
 */
const streamsOf = async (deps: SleepDeps, session: FoundSession): Promise<StreamRow[]> => {
  if (session.object_key !== null) return deps.parquet.decodeSleep(await deps.objects.get(session.object_key));
  const range = { from: session.start_at, to: session.end_at + 1 };
  const { live } = await readSeries(deps, { athlete_id: session.athlete_id, metric: null, ...range });
  return sessionStreams(session, live);
};

const nightRoute = (deps: SleepDeps): Route => ({
  method: "GET",
  path: "/v1/athletes/{athlete_id}/sleep/{session_id}",
  scope: "read",
  summary: "One sleep session with its hypnogram and what was measured meanwhile",
  schema: { responses: { 200: { description: "The night", schema: nightSchema } } },
  handler: async (request) => {
    for (let attempt = 1; ; attempt += 1) {
      const session = await named(deps, request);
      try {
        const rows = await streamsOf(deps, session);
        const body = { athlete_id: session.athlete_id, session: sessionAnswer(session), ...streamsAnswer(rows) };
        return { status: 200, body };
      } catch (error) {
        if (!(error instanceof ObjectMissing) || attempt === TRIES) throw error;
      }
    }
  },
});

const explainSessionRoute = (deps: SleepDeps): Route => ({
  method: "GET",
  path: "/v1/athletes/{athlete_id}/sleep/{session_id}/explain",
  scope: "read",
  summary: "How a sleep session came about: sources, the winner and why, what was set aside",
  schema: { responses: { 200: { description: "The explanation", schema: Type.Object({}) } } },
  handler: async (request) => ({
    status: 200,
    body: await explainSession(deps.db, await named(deps, request)),
  }),
});

/** What there is to read of sleep. */
export const sleepRoutes = (deps: SleepDeps): Route[] => [listRoute(deps), nightRoute(deps), explainSessionRoute(deps)];
