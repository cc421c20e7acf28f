import { NAMESPACE, uuid5 } from "../domain/ids.ts";
import { storable } from "../domain/source.ts";
import { digest } from "./digest.ts";
import type { DeadLetter } from "./effects.ts";
import type { RawRecord } from "./ports.ts";

type Refusal = { reason: string; path: string; detail: string };

/**
 * A content type that also says what came with the payload and is needed to try it again: `application/json;
 * time_zone=Europe%2FAmsterdam`. What is null is left out.
 */
export const contentTypeOf = (base: string, sentWith: Readonly<Record<string, string | number | null>>): string =>
  Object.entries(sentWith)
    .filter(([, value]) => value !== null)
    .reduce((text, [name, value]) => `${text}; ${name}=${encodeURIComponent(String(value).toWellFormed())}`, base);

/** The inverse: what `contentTypeOf` was given, as text. */
export const sentWithOf = (contentType: string): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(contentType.split("; ").slice(1).join("&")));

/**
 * The dead letter of a record on a topic (`index` −1) or of one sample in it, with the bytes as received.
 * Its id is uuid5 of the origin, so that redelivery and replay make the same letter.
 */
export const topicDeadLetter = (
  record: RawRecord,
  part: { athlete_id: string | null; index: number; payload: Uint8Array; content_type: string; attempts: number },
  refusal: Refusal,
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
  // The broker's time, not ours: a replay must not make it younger than an erasure.
  first_seen_at: record.timestamp,
});

/** The whole record as one dead letter. */
export const recordDeadLetter = (record: RawRecord, refusal: Refusal, attempts = 1): DeadLetter =>
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
  );

/**
 * An athlete id as Avro writes it: the length as a zigzag varint, then the bytes. A record that was refused whole
 * (another's key, a frame that breaks off) is a dead letter of nobody, and may hold a person's data all the same.
 */
export const avroString = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  const zigzag = bytes.length * 2;
  const length = zigzag < 0x80 ? [zigzag] : [(zigzag & 0x7f) | 0x80, zigzag >> 7];
  return Buffer.concat([Buffer.from(length), bytes]);
};
