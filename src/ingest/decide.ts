import { NAMESPACE, uuid5 } from "../domain/ids.ts";
import type { Digest, Door, Instant, SampleChunk } from "../domain/sample.ts";
import { storable } from "../domain/source.ts";
import { contentTypeOf } from "../flow/dead-letters.ts";
import type { DeadLetter } from "../flow/effects.ts";
import type { BatchAnswer, BatchBody, Rejection, UnsentReceipt } from "./batch-body.ts";
import { chunkBuilder, type ChunkHead, type InputTopic } from "./chunks.ts";
import { checkSamples } from "./check-samples.ts";
import { checkDaily, checkDeletions } from "./check-others.ts";

export type BatchContext = {
  athlete_id: string;
  /** Stamped by the edge; orders copies of the same sample. */
  received_at: Instant;
  door: Exclude<Door, "kafka">;
  kind: "http" | "import";
  /** SHA-256 of the body as received, or of the import's part; hex. */
  body_hash: string;
  /** Uuids were made by us (D10), because the client sends none. */
  synthetic?: boolean;
  /** Entries of ignored types that the import left out before it made the batch. */
  ignored?: Readonly<Record<string, number>>;
  /** The JSON text of an entry as received; without it the parsed entry is written again. */
  sent?: (list: EntryList, index: number) => string | undefined;
  /** Where a field stands in the client's own words, where a door converted its body; absent for native batches. */
  place?: (list: EntryList, index: number, field: string) => string;
};

export type EntryList = "samples" | "deleted" | "daily";

/** A batch's fate as plain data: what goes to Kafka, and what its sender is told once it is there. */
export type BatchDecision = {
  chunks: readonly { topic: InputTopic; chunk: SampleChunk }[];
  dead_letters: DeadLetter[];
  receipt: UnsentReceipt;
  answer: BatchAnswer;
};

/** Kafka takes a record of 1 MiB at most; what is cut off of a refused entry is said in its detail. */
const MAX_PAYLOAD = 256 * 1024;

export type Refusal = {
  list: EntryList;
  index: number;
  uuid: string | null;
  reason: string;
  field: string;
  detail: string;
};

const nativePath = (list: EntryList, index: number, field: string): string =>
  `${list}[${index}]${field === "" ? "" : `.${field}`}`;

const pathOf = ({ list, index, field }: Refusal, { place = nativePath }: BatchContext): string =>
  place(list, index, field);

const rejectionOf = (refusal: Refusal, context: BatchContext): Rejection => ({
  index: refusal.list === "samples" ? refusal.index : -1,
  uuid: refusal.uuid,
  reason: refusal.reason,
  path: pathOf(refusal, context),
  detail: refusal.detail,
});

const payloadOf = (body: BatchBody, refusal: Refusal, context: BatchContext): Uint8Array => {
  const sent = context.sent?.(refusal.list, refusal.index);
  return new TextEncoder().encode(sent ?? JSON.stringify(body[refusal.list]?.[refusal.index]));
};

const deadLetter = (
  refusal: Refusal,
  batch: { body: BatchBody; batch_id: string; context: BatchContext },
  digest: Digest,
): DeadLetter => {
  const { context, batch_id } = batch;
  const path = pathOf(refusal, context);
  const own = nativePath(refusal.list, refusal.index, refusal.field);
  const payload = payloadOf(batch.body, refusal, context);
  const cut = payload.length > MAX_PAYLOAD;
  return {
    // By our own numbers: one entry of a client may become two samples, refused for the same field.
    id: uuid5(NAMESPACE, `${context.athlete_id}|${batch_id}|${own}`, digest),
    athlete_id: context.athlete_id,
    reason: refusal.reason,
    path,
    detail: cut ? `${refusal.detail} (the first ${MAX_PAYLOAD} of ${payload.length} bytes are kept)` : refusal.detail,
    // So that who tries it again knows through which door (its own body, or a native entry as another door made it).
    content_type: contentTypeOf("application/json", {
      door: context.place ? context.door : null,
      made_by: !context.place && context.door !== "native" ? context.door : null,
      synthetic: context.synthetic ? 1 : null,
      time_zone: batch.body.time_zone ?? null,
    }),
    payload: cut ? payload.slice(0, MAX_PAYLOAD) : payload,
    origin: {
      kind: context.kind,
      batch_id,
      index: rejectionOf(refusal, context).index,
      topic: null,
      topic_partition: null,
      offset: null,
    },
    attempts: 1,
    first_seen_at: context.received_at,
  };
};

/** The same batch sent again without an id gets the same id (contract §5). */
export const batchId = (context: Pick<BatchContext, "athlete_id" | "door" | "body_hash">, digest: Digest): string =>
  uuid5(NAMESPACE, `${context.athlete_id}|${context.door}|${context.body_hash}`, digest);

/**
 * Decides one batch whose envelope is right. Every entry has one fate (I5): accepted + rejected = received, one dead
 * letter a rejection; a bad entry never sinks its neighbours.
 */
export const decideBatch = (body: BatchBody, context: BatchContext, digest: Digest): BatchDecision => {
  const batch_id = body.batch_id ?? batchId(context, digest);
  const head: ChunkHead = {
    athlete_id: context.athlete_id,
    provider: body.provider ?? "apple_health",
    batch_id,
    received_at: context.received_at,
    batch_time_zone: body.time_zone ?? null,
  };
  const chunks = chunkBuilder(head);
  const samples = checkSamples(body.samples ?? [], { head, context, chunks });
  const deletions = checkDeletions(body.deleted ?? [], context, chunks);
  const daily = checkDaily(body.daily ?? [], context, chunks);
  const refusals = [...samples.refusals, ...deletions.refusals, ...daily.refusals];
  const ignored: Record<string, number> = { ...context.ignored };
  for (const type of [...samples.ignored, ...daily.ignored]) ignored[type] = (ignored[type] ?? 0) + 1;
  const told = {
    batch_id,
    received: samples.accepted + samples.refusals.length,
    accepted: samples.accepted,
    deletions: deletions.accepted,
    rejected: refusals.map((refusal) => rejectionOf(refusal, context)),
    ignored,
  };
  return {
    chunks: chunks.chunks(),
    dead_letters: refusals.map((refusal) => deadLetter(refusal, { body, batch_id, context }, digest)),
    receipt: {
      ...told,
      athlete_id: context.athlete_id,
      received_at: context.received_at,
      body_hash: context.body_hash,
      anchor: body.anchor ? storable(body.anchor) : null,
    },
    answer: { ...told, state: "accepted" },
  };
};
