import { epochDay } from "../domain/local-day.ts";
import type { Instant, LocalDate } from "../domain/sample.ts";
import type { OutboxEvent } from "./effects.ts";
import type { Tx } from "./ports.ts";
import type { TopicNames } from "./topics.ts";

/** A row of athlete_metrics: what panes and edits write, and nobody else. */
export type MetricRow = {
  date: LocalDate;
  metric: string;
  source: "apple_health" | "derived" | "manual";
  value: number | null;
  unit: string;
  locked: boolean;
  synced_value: number | null;
  is_final: boolean;
  method: string | null;
  input_hash: string | null;
  provenance: Record<string, unknown> | null;
};

export type MetricKey = Pick<MetricRow, "date" | "metric" | "source">;

/** `pane`: the firing that wrote it, null for a person's hand. `revision`: of `nextRevisions`. */
export type WrittenMetric = MetricRow & { pane: string | null; revision: number };

/** Whose rows, where their changes are published, and when they are written. */
export type Of = { athlete_id: string; topic: TopicNames; now: Instant };

const recordKey = (of: Of, row: MetricKey): string => `${of.athlete_id}|${row.date}|${row.metric}|${row.source}`;

/** The full row as it now stands: the Avro record `health.v1.AthleteMetric`. */
const metricEvent = (of: Of, row: WrittenMetric): OutboxEvent => ({
  topic: of.topic("metrics"),
  athlete_id: of.athlete_id,
  key: recordKey(of, row),
  value: {
    ...row,
    athlete_id: of.athlete_id,
    date: epochDay(row.date),
    provenance: row.provenance === null ? null : JSON.stringify(row.provenance),
    updated_at: of.now,
  },
});

/** A tombstone carries its number as a header, since it has no value. */
const metricGone = (of: Of, key: MetricKey & { revision: number }): OutboxEvent => ({
  topic: of.topic("metrics"),
  athlete_id: of.athlete_id,
  key: recordKey(of, key),
  value: null,
  headers: { revision: String(key.revision) },
});

/** Writes rows under the athlete's lock; answers the events that tell of it, for the same transaction's outbox. */
export const writeMetrics = async (tx: Tx, of: Of, rows: readonly WrittenMetric[]): Promise<OutboxEvent[]> => {
  if (rows.length === 0) return [];
  await tx.query(
    `insert into athlete_metrics (athlete_id, date, metric, source, value, unit, locked, synced_value, is_final, pane,
       method, input_hash, provenance, revision, updated_at)
     select $1, date, metric, source, value, unit, locked, synced_value, is_final, pane, method, input_hash,
       provenance, revision, $2
     from jsonb_to_recordset($3::jsonb) as t(date date, metric text, source text, value float8, unit text,
       locked boolean, synced_value float8, is_final boolean, pane text, method text, input_hash text,
       provenance jsonb, revision bigint)
     on conflict (athlete_id, date, metric, source) do update set value = excluded.value, unit = excluded.unit,
       locked = excluded.locked, synced_value = excluded.synced_value, is_final = excluded.is_final,
       pane = excluded.pane, method = excluded.method, input_hash = excluded.input_hash,
       provenance = excluded.provenance, revision = excluded.revision, updated_at = excluded.updated_at`,
    [of.athlete_id, new Date(of.now), JSON.stringify(rows)],
  );
  return rows.map((row) => metricEvent(of, row));
};

/** Removes rows under the athlete's lock; answers the topic's tombstones, for the same transaction's outbox. */
export const removeMetrics = async (
  tx: Tx,
  of: Of,
  keys: readonly (MetricKey & { revision: number })[],
): Promise<OutboxEvent[]> => {
  if (keys.length === 0) return [];
  await tx.query(
    `delete from athlete_metrics m using jsonb_to_recordset($2::jsonb) as t(date date, metric text, source text)
     where m.athlete_id = $1 and m.date = t.date and m.metric = t.metric and m.source = t.source`,
    [of.athlete_id, JSON.stringify(keys)],
  );
  return keys.map((key) => metricGone(of, key));
};
