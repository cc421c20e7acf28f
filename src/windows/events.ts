import { epochDay } from "../domain/local-day.ts";
import type { OutboxEvent } from "../flow/effects.ts";
import type { Of } from "../flow/metric-rows.ts";
import type { Pointer } from "./facts.ts";
import type { NewPointer } from "./objects-of.ts";

/** The Avro record `health.v1.DayPartition`. */
export const partitionEvent = (of: Of, pointer: NewPointer, revision: number): OutboxEvent => ({
  topic: of.topic("day-partitions"),
  athlete_id: of.athlete_id,
  key: `${of.athlete_id}|${pointer.period_start}`,
  value: {
    athlete_id: of.athlete_id,
    period_start: epochDay(pointer.period_start),
    period_end: epochDay(pointer.period_end),
    level: pointer.level,
    object_key: pointer.object_key,
    generation: pointer.generation,
    row_count: pointer.row_count,
    bytes: pointer.bytes,
    content_hash: pointer.content_hash,
    written_at: of.now,
    rows_hash: pointer.rows_hash,
    revision,
  },
});

export const partitionGone = (of: Of, pointer: Pointer, revision: number): OutboxEvent => ({
  topic: of.topic("day-partitions"),
  athlete_id: of.athlete_id,
  key: `${of.athlete_id}|${pointer.period_start}`,
  value: null,
  headers: { revision: String(revision) },
});
