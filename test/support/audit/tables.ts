import { Client } from "pg";
import type { Stored, StoredRow } from "./stored.ts";

const MS = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

const QUERIES = {
  rows: `select athlete_id, sample_id::text, metric, ${MS("start_at")} as start_at, ${MS("end_at")} as end_at, value, unit,
      source, device, tz, local_date::text, attributes::text, 'staging' as "where" from health_samples_staging`,
  pointers: `select athlete_id, period_start::text, period_end::text, level, object_key, generation::float8,
      row_count::float8, bytes::float8, content_hash, rows_hash, revision::float8 from health_streams`,
  metrics: `select athlete_id, date::text, metric, source, value, unit, locked, synced_value, is_final, method,
      revision::float8 from athlete_metrics`,
  sessions: `select session_id::text, athlete_id, date::text, source, kind, is_main_sleep, ${MS("start_at")} as start_at,
      ${MS("end_at")} as end_at, tz, ${MS("onset_at")} as onset_at, ${MS("final_wake_at")} as final_wake_at, time_in_bed_s,
      total_sleep_s, deep_s, rem_s, light_s, unspecified_s, awake_s, gap_s, onset_latency_s, wakeup_count, efficiency,
      hrv_ms, resting_hr, avg_hr, min_hr, respiratory_rate, spo2, spo2_min, sleep_score, score_components, score_method,
      superseded_by::text, is_final, revision::float8 from sleep_sessions`,
  sleepPointers: `select session_id::text, athlete_id, object_key, row_count::float8, bytes::float8, content_hash, channels
      from sleep_streams`,
  receipts: `select athlete_id, batch_id, ${MS("received_at")} as received_at, received, accepted, deletions, rejected
      from ingest_batches`,
  letters: `select id::text, athlete_id, reason, path, origin from dead_letters`,
  windows: `select athlete_id, local_date::text, dirty::float8, fired::float8, closed_at is not null as closed from windows`,
  intents: `select object_key, (extract(epoch from noted_at) * 1000)::float8 as noted_at from object_intents`,
  outbox: `select count(*)::int as n from outbox`,
  now: `select ${MS("now()")} as now`,
} as const;

export type Tables = Pick<
  Stored,
  | "now"
  | "rows"
  | "pointers"
  | "metrics"
  | "sessions"
  | "sleepPointers"
  | "receipts"
  | "letters"
  | "windows"
  | "intents"
  | "outbox"
>;

/** Every table that the invariants speak of, in one snapshot. */
export const readTables = async (databaseUrl: string): Promise<Tables> => {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query("begin isolation level repeatable read, read only");
    const read = async <Row>(name: keyof typeof QUERIES): Promise<Row[]> =>
      (await client.query(QUERIES[name])).rows as Row[];
    const tables: Tables = {
      now: (await read<{ now: number }>("now"))[0]?.now ?? 0,
      rows: await read<StoredRow>("rows"),
      pointers: await read("pointers"),
      metrics: await read("metrics"),
      sessions: await read("sessions"),
      sleepPointers: await read("sleepPointers"),
      receipts: await read("receipts"),
      letters: await read("letters"),
      windows: await read("windows"),
      intents: new Map(
        (await read<{ object_key: string; noted_at: number }>("intents")).map((r) => [r.object_key, r.noted_at]),
      ),
      outbox: (await read<{ n: number }>("outbox"))[0]?.n ?? 0,
    };
    await client.query("commit");
    return tables;
  } finally {
    await client.end();
  }
};
