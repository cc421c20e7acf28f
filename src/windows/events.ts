import { epochDay } from "../domain/local-day.ts";
import type { Instant } from "../domain/sample.ts";
import type { OutboxEvent } from "../flow/effects.ts";
import type { TopicNames } from "../flow/topics.ts";
import type { Pane } from "./due.ts";
import type { MetricRow, Pointer } from "./facts.ts";
import type { MetricKey } from "./metric-changes.ts";
import type { NewPointer } from "./objects-of.ts";

export type Of = { athlete_id: string; topic: TopicNames; now: Instant };

const metricKey = (of: Of, row: MetricKey): string => `${of.athlete_id}|${row.date}|${row.metric}|${row.source}`;

/** The full row as it now stands: the Avro record `health.v1.AthleteMetric`. */
export const metricEvent = (of: Of, row: MetricRow & { pane: Pane; revision: number }): OutboxEvent => ({
  topic: of.topic("metrics"),
  athlete_id: of.athlete_id,
  key: metricKey(of, row),
  value: {
    ...row,
    athlete_id: of.athlete_id,
    date: epochDay(row.date),
    provenance: row.provenance === null ? null : JSON.stringify(row.provenance),
    updated_at: of.now,
  },
});

/** A tombstone carries its number as a header, since it has no value. */
export const metricGone = (of: Of, key: MetricKey, revision: number): OutboxEvent => ({
  topic: of.topic("metrics"),
  athlete_id: of.athlete_id,
  key: metricKey(of, key),
  value: null,
  headers: { revision: String(revision) },
});

/** The Avro record `health.v1.DayPartition`. */
export const partitionEvent = (of: Of, pointer: NewPointer, revision: number): OutboxEvent => ({
  topic: of.topic("day-partitions"),
  athlete_id: of.athlete_id,
  key: `${of.athlete_id}|${pointer.period_start}`,
  value: {
    athlete_id: of.athlete_id,
    period_start: epochDay(pointer.period_start),
    period_end: epochDay(pointer.period_start),
    level: "day",
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
