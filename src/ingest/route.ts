import { digest, sha256Hex } from "../flow/digest.ts";
import { Problem, type Route, type RouteRequest, unavailable } from "../flow/route.ts";
import { answerSchema, type BatchBody, batchSchema, receiptSchema } from "./batch-body.ts";
import { type BatchDecision, batchId, decideBatch, type EntryList } from "./decide.ts";
import { checkEnvelope } from "./envelope.ts";
import { listSlices } from "./json-slices.ts";
import { storedReceipt } from "./sql.ts";
import { type IngestDeps, submitter } from "./submit.ts";

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
  const submit = submitter(deps);
  return (request) => submit(request, () => decideRequest(request));
};

const getReceipt =
  (deps: IngestDeps): Route["handler"] =>
  async (request) => {
    const stored = await storedReceipt(deps.db, request.athlete_id ?? "", request.params["batch_id"] ?? "").catch(
      (cause: unknown) => {
        throw unavailable("the database is away, which holds the receipts: ask again", 2, cause);
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
