import type { DeadLetter, OutboxEvent } from "./effects.ts";
import { digest } from "./digest.ts";
import type { Tx } from "./ports.ts";

/** Fixed for life: an athlete's events must keep one order, so a shard is never split. */
export const OUTBOX_SHARDS = 8;
/** Events without an athlete's order (dead letters), sent by a plain at-least-once producer. */
export const PLAIN_LANE = -1;

export const shardOf = (athleteId: string): number =>
  Number.parseInt(digest.sha1(new TextEncoder().encode(athleteId)).slice(0, 2), 16) % OUTBOX_SHARDS;

/** JSON has no bytes: a Uint8Array stands in the outbox as `{"$base64": "…"}`. */
const bytesToJson = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return { $base64: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(bytesToJson);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, bytesToJson(inner)]));
};

/** Adds events to the outbox in their order. The caller holds the athletes' locks, so ids rise in commit order. */
export const enqueue = async (tx: Tx, events: readonly OutboxEvent[]): Promise<void> => {
  if (events.length === 0) return;
  const rows = events.map((event) => ({
    ...event,
    shard: event.athlete_id === null ? PLAIN_LANE : shardOf(event.athlete_id),
    value: event.value ?? null,
    headers: event.headers ?? {},
  }));
  await tx.query(
    `insert into outbox (shard, athlete_id, topic, key, value, headers)
     select (e->>'shard')::smallint, e->>'athlete_id', e->>'topic', e->>'key',
            case when jsonb_typeof(e->'value') = 'null' then null else e->'value' end, e->'headers'
     from jsonb_array_elements($1::jsonb) with ordinality as t(e, n) order by n`,
    [JSON.stringify(bytesToJson(rows))],
  );
  tx.announce("outbox");
};

/** A dead letter travels through the plain lane to its topic, from where staging's consumer files it in the table. */
export const deadLetterEvent = (topic: string, letter: DeadLetter): OutboxEvent => ({
  topic,
  athlete_id: null,
  key: letter.athlete_id,
  value: letter,
});
