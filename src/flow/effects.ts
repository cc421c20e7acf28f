import type { Instant } from "../domain/sample.ts";

/** An object to be written under a new key before the transaction that points to it. */
export type ObjectWrite = { key: string; athlete_id: string; body: Uint8Array };

/**
 * A row of the outbox. `athlete_id` picks the shard, so that the order per key is the order of commits;
 * events without one (dead letters) go through the plain lane. A null `value` is a tombstone.
 */
export type OutboxEvent = {
  topic: string;
  athlete_id: string | null;
  key: string | null;
  value: unknown;
  headers?: Record<string, string>;
};

export type Origin = {
  kind: "http" | "import" | "topic";
  batch_id: string | null;
  index: number | null;
  topic: string | null;
  topic_partition: number | null;
  offset: number | null;
};

/** The Avro record `health.v1.DeadLetter`. `id` is uuid5 of the origin, so that redelivery is the same letter. */
export type DeadLetter = {
  id: string;
  athlete_id: string | null;
  reason: string;
  path: string | null;
  detail: string;
  content_type: string;
  payload: Uint8Array;
  origin: Origin;
  attempts: number;
  first_seen_at: Instant;
};

/**
 * What a stage wants done, as plain data. Only the runner knows the order in which it is done
 * (architecture §2). `Rows` is the stage's own description of its rows, turned into SQL by the stage's `write`.
 */
export type Effects<Rows> = {
  objects: ObjectWrite[];
  /** Objects that nothing will point to after the commit: handed to the sweeper in the same transaction. */
  superseded: { key: string; athlete_id: string }[];
  rows: Rows;
  events: OutboxEvent[];
  dead_letters: DeadLetter[];
  /** Records by fate, for telemetry and the runner's log line. */
  tally: Record<string, number>;
};

/** The effects of a stage that only writes rows. */
export const rowsOnly = <Rows>(rows: Rows, tally: Record<string, number>): Effects<Rows> => ({
  objects: [],
  superseded: [],
  rows,
  events: [],
  dead_letters: [],
  tally,
});
