import { digest, sha256Hex } from "../flow/digest.ts";
import type { Database } from "../flow/ports.ts";
import { Problem, type Route, type RouteRequest, type RouteResponse } from "../flow/route.ts";
import { answerSchema, type BatchBody, batchSchema, receiptSchema } from "./batch-body.ts";
import { type BatchDecision, batchId, decideBatch, type EntryList } from "./decide.ts";
import { checkEnvelope } from "./envelope.ts";
import { listSlices } from "./json-slices.ts";
import { publishBatch, type PublishDeps, Unavailable } from "./publish.ts";
import { knownBodyHash, storedReceipt } from "./sql.ts";

export type IngestDeps = PublishDeps & {
  db: Database;
  /** Batches that may wait for Kafka at once; more are turned away, so that an outage fills no memory. */
  max_in_flight?: number;
  /** How long Postgres may take to know the batch id, in ms: the edge needs Kafka alone. */
  lookup_ms?: number;
};

const busy = (detail: string, seconds: number, cause?: unknown): Problem =>
  new Problem(503, detail, { headers: { "retry-after": String(seconds) }, cause });

/** W3C trace context; anything else is not passed on. */
const traceparentOf = (request: RouteRequest): string | undefined => {
  const value = request.headers["traceparent"];
  return value !== undefined && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(value) ? value : undefined;
};

/** An entry's own bytes, cut out of the body only when an entry was refused. */
const sentText = (raw: Uint8Array) => {
  let cached: { text: string; lists: ReturnType<typeof listSlices> } | undefined;
  return (list: EntryList, index: number): string | undefined => {
    if (!cached) {
      const text = new TextDecoder().decode(raw);
      cached = { text, lists: listSlices(text) };
    }
    const slice = cached.lists.get(list)?.[index];
    return slice && cached.text.slice(...slice);
  };
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

const decideRequest = (request: RouteRequest): BatchDecision => {
  const body = request.body as BatchBody;
  checkEnvelope(body);
  const context = {
    athlete_id: request.athlete_id ?? "",
    received_at: request.received_at,
    door: "native" as const,
    kind: "http" as const,
    body_hash: sha256Hex(request.raw),
    sent: sentText(request.raw),
  };
  return decideBatch({ ...body, batch_id: body.batch_id ?? batchId(context, digest) }, context, digest);
};

/** `POST /v1/athletes/{athlete_id}/batches`: 202 once Kafka acknowledged everything, 503 where it did not. */
const postBatch = (deps: IngestDeps): Route["handler"] => {
  const lookup = boundedLookup(deps);
  let inFlight = 0;
  return async (request): Promise<RouteResponse> => {
    if (inFlight >= (deps.max_in_flight ?? 64)) throw busy("too many batches are waiting for Kafka: send it again", 2);
    inFlight += 1;
    try {
      const decision = decideRequest(request);
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

const getReceipt =
  (deps: IngestDeps): Route["handler"] =>
  async (request) => {
    const stored = await storedReceipt(deps.db, request.athlete_id ?? "", request.params["batch_id"] ?? "").catch(
      () => {
        throw busy("the database is away, which holds the receipts: ask again", 2);
      },
    );
    if (stored === null) {
      throw new Problem(404, "no receipt of this batch was consumed yet: ask again in a second, or send the batch", {
        headers: { "retry-after": "1" },
      });
    }
    const { applied, received_at, written: _written, athlete_id: _athlete, ...receipt } = stored;
    return {
      status: 200,
      body: { ...receipt, state: applied ? "applied" : "accepted", received_at: new Date(received_at).toISOString() },
    };
  };

export const ingestRoutes = (deps: IngestDeps): Route[] => [
  {
    method: "POST",
    path: "/v1/athletes/{athlete_id}/batches",
    scope: "ingest",
    summary: "Send a batch of samples, deletions and daily totals",
    schema: {
      body: batchSchema,
      responses: { 202: { description: "Acknowledged by Kafka", schema: answerSchema } },
    },
    handler: postBatch(deps),
  },
  {
    method: "GET",
    path: "/v1/athletes/{athlete_id}/batches/{batch_id}",
    scope: "ingest",
    summary: "The receipt of a batch",
    schema: { responses: { 200: { description: "What became of it", schema: receiptSchema } } },
    handler: getReceipt(deps),
  },
];
