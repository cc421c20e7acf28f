import { Type } from "typebox";
import { metricOfType, type MetricDefinition } from "../domain/catalogue.ts";
import { isUuid } from "../domain/ids.ts";
import { DAY } from "../domain/local-day.ts";
import type { Digest, Instant } from "../domain/sample.ts";
import { type FieldError, Problem } from "../flow/route.ts";
import { type BatchDecision, batchId, decideBatch } from "./decide.ts";
import { parseInstant } from "./time-text.ts";

/** Ids that a client may name at once, and samples that one answer may delete. */
const MAX_UUIDS = 200_000;
const MAX_DELETIONS = 100_000;
const MAX_DAYS = 400;

export const reconcileSchema = Type.Object(
  {
    type: Type.String({ description: "HealthKit identifier" }),
    from: Type.String({ description: "ISO 8601 with an offset" }),
    to: Type.String({ description: "ISO 8601 with an offset; at most 400 days after from" }),
    uuids: Type.Array(Type.String(), {
      maxItems: MAX_UUIDS,
      description: "Everything that HealthKit has in the range",
    }),
    as_of: Type.Optional(
      Type.Union([Type.String(), Type.Null()], {
        description: "When HealthKit was asked: what came later is left alone; when the request came, if absent",
      }),
    ),
  },
  {
    examples: [
      {
        type: "HKQuantityTypeIdentifierHeartRate",
        from: "2026-11-20T00:00:00Z",
        to: "2026-11-21T00:00:00Z",
        uuids: ["4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a11"],
        as_of: "2026-11-21T08:00:00Z",
      },
    ],
  },
);

export type ReconcileBody = { type: string; from: string; to: string; uuids: readonly string[]; as_of?: string | null };

/** What a client says it has. Instants in ms; ids in lower case. */
export type Claim = {
  metric: MetricDefinition;
  from: Instant;
  to: Instant;
  as_of: Instant;
  uuids: ReadonlySet<string>;
};

/** A stored sample as its client knows it: `uuid` is the id it was sent under, null where the client sent none. */
export type StoredSample = { uuid: string | null; start_at: Instant; end_at: Instant; received_at: Instant };

const wrong = (error: FieldError): never => {
  throw new Problem(400, `the body is not as it should be: ${error.path} ${error.detail}`, { errors: [error] });
};

const instant = (path: string, text: unknown): Instant =>
  parseInstant(text) ?? wrong({ path, detail: "must be ISO 8601 with an offset, like 2026-11-21T06:00:00Z" });

/** Throws Problem 400: a claim that is misread would delete what its sender has. */
export const readClaim = (body: ReconcileBody, received_at: Instant): Claim => {
  const metric = metricOfType(body.type);
  if (!metric) return wrong({ path: "type", detail: "must be an identifier of a type that is stored" });
  const [from, to] = [instant("from", body.from), instant("to", body.to)];
  if (to <= from) return wrong({ path: "to", detail: "must be after from" });
  if (to - from > MAX_DAYS * DAY) return wrong({ path: "to", detail: `must be at most ${MAX_DAYS} days after from` });
  // A client's clock may be ahead of ours.
  const as_of = body.as_of == null ? received_at : Math.min(received_at, instant("as_of", body.as_of));
  const bad = body.uuids.findIndex((uuid) => !isUuid(uuid));
  if (bad >= 0) return wrong({ path: `uuids[${bad}]`, detail: "must be a UUID" });
  return { metric, from, to, as_of, uuids: new Set(body.uuids.map((uuid) => uuid.toLowerCase())) };
};

/**
 * Of stored samples those that the client would have named if it had them: they lie whole in the range, however its query
 * treats the edges, came from a client with ids, and were here when HealthKit was asked.
 */
export const missing = (claim: Claim, stored: readonly StoredSample[]): string[] =>
  stored.flatMap(({ uuid, start_at, end_at, received_at }) => {
    const asked = start_at >= claim.from && end_at <= claim.to && received_at <= claim.as_of;
    return uuid !== null && asked && !claim.uuids.has(uuid) ? [uuid] : [];
  });

/** The deletions as a batch, the same batch for the same deletions. Throws Problem 413. */
export const decideReconcile = (
  claim: Claim,
  gone: readonly string[],
  request: { athlete_id: string; received_at: Instant },
  digest: Digest,
): BatchDecision => {
  if (gone.length > MAX_DELETIONS) {
    throw new Problem(413, `${gone.length} samples would be deleted, ${MAX_DELETIONS} are the most: shorten the range`);
  }
  const { type } = claim.metric;
  const ids = [...new Set(gone)].toSorted();
  const body_hash = digest.sha256(JSON.stringify(["reconcile", type, claim.from, claim.to, ids]));
  const context = { ...request, door: "native", kind: "http", body_hash } as const;
  const deleted = ids.map((uuid) => ({ uuid, type }));
  return decideBatch({ batch_id: batchId(context, digest), deleted }, context, digest);
};
