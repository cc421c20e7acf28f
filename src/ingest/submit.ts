import type { Database } from "../flow/ports.ts";
import { inTime } from "../flow/in-time.ts";
import { Problem, type RouteRequest, type RouteResponse, unavailable } from "../flow/route.ts";
import { places } from "../flow/slots.ts";
import type { BatchDecision } from "./decide.ts";
import { publishBatch, type PublishDeps, Unavailable } from "./publish.ts";
import { type AskedBatch, knownBodyHashes } from "./sql.ts";

export type IngestDeps = PublishDeps & {
  db: Database;
  /** Batches that may wait for Kafka at once; more are turned away, so that an outage fills no memory. */
  max_in_flight?: number;
  /** How long Postgres may take to know the batch id, in ms: the edge needs Kafka alone. */
  lookup_ms?: number;
  /** Asks for the body hash of one batch id, perhaps together with others; absent: alone. */
  known_hash?: (asked: AskedBatch) => Promise<string | null>;
};

/** W3C trace context; anything else is not passed on. */
export const traceparentOf = (request: Pick<RouteRequest, "headers">): string | undefined => {
  const value = request.headers["traceparent"];
  return value !== undefined && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(value) ? value : undefined;
};

export type Submit = (
  request: RouteRequest,
  decide: () => BatchDecision | Promise<BatchDecision>,
) => Promise<RouteResponse>;

/** What every door does with its batch: 202 once Kafka acknowledged everything, 503 where it did not. */
export const submitter = (deps: IngestDeps): Submit => {
  const known = inTime(deps.lookup_ms ?? 200);
  const hashOf = deps.known_hash ?? (async (asked) => (await knownBodyHashes(deps.db, [asked]))[0] ?? null);
  const takePlace = places(deps.max_in_flight ?? 64);
  return async (request, decide) => {
    const giveBack = takePlace();
    if (!giveBack) throw unavailable("too many batches are waiting for Kafka: send it again", 2);
    try {
      const decision = await decide();
      const { athlete_id, batch_id, body_hash } = decision.receipt;
      const before = await known(() => hashOf({ athlete_id, batch_id }));
      if (before !== null && before !== body_hash) {
        throw new Problem(409, "this batch_id came with another body before: give a new batch a new batch_id", {
          errors: [{ path: "batch_id", detail: "is taken" }],
        });
      }
      await publishBatch(deps, decision, traceparentOf(request));
      return { status: 202, body: decision.answer };
    } catch (error) {
      if (error instanceof Unavailable) throw unavailable(error.message, 2, error.cause);
      throw error;
    } finally {
      giveBack();
    }
  };
};
