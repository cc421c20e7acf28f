import type { Instant } from "../domain/sample.ts";
import { digest } from "../flow/digest.ts";
import { ObjectMissing } from "../flow/ports.ts";
import { type Route, type RouteRequest, unavailable } from "../flow/route.ts";
import { answerSchema } from "./batch-body.ts";
import {
  decideReconcile,
  missing,
  readClaim,
  type ReconcileBody,
  reconcileSchema,
  type StoredSample,
} from "./reconcile.ts";
import { type IngestDeps, submitter } from "./submit.ts";

export type ReconcileDeps = IngestDeps & {
  /** One metric's samples that begin in [from, to), over staging and closed days, some at a time. */
  stored: (of: { athlete_id: string; metric: string; from: Instant; to: Instant }) => AsyncIterable<StoredSample[]>;
};

const handle = async (deps: ReconcileDeps, request: RouteRequest) => {
  const { received_at } = request;
  const athlete_id = request.athlete_id ?? "";
  const claim = readClaim(request.body as ReconcileBody, received_at);
  const { from, to, metric } = claim;
  const gone: string[] = [];
  try {
    for await (const some of deps.stored({ athlete_id, metric: metric.key, from, to }))
      for (const uuid of missing(claim, some)) gone.push(uuid);
  } catch (error) {
    if (error instanceof ObjectMissing || deps.isTransient(error))
      throw unavailable("the database or the object store is away: send it again", 2, error);
    throw error;
  }
  return decideReconcile(claim, gone, { athlete_id, received_at }, digest);
};

/** `POST …/reconcile`: "these are all I have". What is stored in the range and not named is deleted, as a batch. */
export const reconcileRoute = (deps: ReconcileDeps): Route => {
  const submit = submitter({ ...deps, max_in_flight: 4 });
  return {
    method: "POST",
    path: "/v1/athletes/{athlete_id}/reconcile",
    scope: "ingest",
    summary: "Say which samples of a type and range there are: stored ones that are not named are deleted",
    schema: {
      body: reconcileSchema,
      responses: { 202: { description: "The deletions, acknowledged by Kafka", schema: answerSchema } },
    },
    handler: (request) => submit(request, () => handle(deps, request)),
  };
};
