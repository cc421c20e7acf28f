import { NAMESPACE, uuid5 } from "../domain/ids.ts";
import type { Instant } from "../domain/sample.ts";
import { storable } from "../domain/source.ts";
import { digest } from "./digest.ts";
import type { DeadLetter } from "./effects.ts";
import type { RawRecord } from "./ports.ts";

type Refusal = { reason: string; path: string; detail: string };

/**
 * The dead letter of a record on a topic (`index` −1) or of one sample in it, with the bytes as received.
 * Its id is uuid5 of the origin, so that redelivery and replay make the same letter.
 */
export const topicDeadLetter = (
  record: RawRecord,
  part: { athlete_id: string | null; index: number; payload: Uint8Array; content_type: string; attempts: number },
  refusal: Refusal,
  now: Instant,
): DeadLetter => ({
  id: uuid5(NAMESPACE, `${record.topic}|${record.topic_partition}|${record.offset}|${part.index}`, digest),
  athlete_id: part.athlete_id,
  reason: refusal.reason,
  path: refusal.path,
  detail: refusal.detail,
  content_type: part.content_type,
  payload: part.payload,
  origin: {
    kind: "topic",
    // Anyone may produce to an input topic, and a header that the outbox cannot hold must not stop the rest.
    batch_id: record.headers["batch_id"] === undefined ? null : storable(record.headers["batch_id"]),
    index: part.index,
    topic: record.topic,
    topic_partition: record.topic_partition,
    offset: record.offset,
  },
  attempts: part.attempts,
  first_seen_at: now,
});

/** The whole record as one dead letter. */
export const recordDeadLetter = (record: RawRecord, refusal: Refusal, now: Instant, attempts = 1): DeadLetter =>
  topicDeadLetter(
    record,
    {
      athlete_id: null,
      index: -1,
      payload: record.value ?? new Uint8Array(),
      content_type: "application/vnd.confluent.avro",
      attempts,
    },
    refusal,
    now,
  );
