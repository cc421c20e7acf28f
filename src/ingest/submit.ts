import type { Database } from "../flow/ports.ts";
import { Problem, type RouteRequest, type RouteResponse } from "../flow/route.ts";
import type { BatchDecision } from "./decide.ts";
import { publishBatch, type PublishDeps, Unavailable } from "./publish.ts";
import { knownBodyHash } from "./sql.ts";

export type IngestDeps = PublishDeps & {
  db: Database;
  /** Batches that may wait for Kafka at once; more are turned away, so that an outage fills no memory. */
  max_in_flight?: number;
  /** How long Postgres may take to know the batch id, in ms: the edge needs Kafka alone. */
  lookup_ms?: number;
};

export const busy = (detail: string, seconds: number, cause?: unknown): Problem =>
  new Problem(503, detail, { headers: { "retry-after": String(seconds) }, cause });

/** W3C trace context; anything else is not passed on. */
export const traceparentOf = (request: Pick<RouteRequest, "headers">): string | undefined => {
  const value = request.headers["traceparent"];
  return value !== undefined && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(value) ? value : undefined;
};

/** Resolves to null where Postgres does not answer in time or at all, or where earlier questions still hang. */
const boundedLookup = (deps: IngestDeps) => {
  const limit = deps.lookup_ms ?? 200;
  let hanging = 0;
  return async (athleteId: string, id: string): Promise<string | null> => {
    if (hanging >= 8) return null;
    hanging += 1;
    const answer = knownBodyHash(deps.db, athleteId, id)
      .catch(() => null)
      .finally(() => (hanging -= 1));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => (timer = setTimeout(resolve, limit, null)));
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  };
};

export type Submit = (
  request: RouteRequest,
  decide: () => BatchDecision | Promise<BatchDecision>,
) => Promise<RouteResponse>;

/** What every door does with its batch: 202 once Kafka acknowledged everything, 503 where it did not. */
export const submitter = (deps: IngestDeps): Submit => {
  const lookup = boundedLookup(deps);
  let inFlight = 0;
  return async (request, decide) => {
    if (inFlight >= (deps.max_in_flight ?? 64)) throw busy("too many batches are waiting for Kafka: send it again", 2);
    inFlight += 1;
    try {
      const decision = await decide();
      const { athlete_id, batch_id, body_hash } = decision.receipt;
      const known = await lookup(athlete_id, batch_id);
      if (known !== null && known !== body_hash) {
        throw new Problem(409, "this batch_id came with another body before: give a new batch a new batch_id", {
          errors: [{ path: "batch_id", detail: "is taken" }],
        });
      }
      await publishBatch(deps, decision, traceparentOf(request));
      return { status: 202, body: decision.answer };
    } catch (error) {
      if (error instanceof Unavailable) throw busy(error.message, 2, error.cause);
      throw error;
    } finally {
      inFlight -= 1;
    }
  };
};
