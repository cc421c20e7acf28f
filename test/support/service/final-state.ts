import { Client } from "pg";
import { lastPerKey } from "../audit/check-pointers.ts";
import type { Stored, TopicRecord } from "../audit/stored.ts";

/** I3: every table, every object's decoded rows and every compacted topic, without arrival stamps and their kin. */
export type FinalState = Record<string, string[]>;

/** What depends on when and in which order things arrived, and the keys and hashes made from it. */
const STAMPS = new Set([
  "received_at",
  "updated_at",
  "written_at",
  "deleted_at",
  "resolved_at",
  "first_seen_at",
  "created_at",
  "edited_at",
  "revision",
  "generation",
  "object_key",
  "bytes",
  "content_hash",
  "rows_hash",
  "pane",
  "attempts",
  "searched_to",
  "topic_partition",
]);

const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !STAMPS.has(name))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, plain(inner)]),
  );
};
const lines = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(plain(row))).toSorted();

const TABLES = {
  athletes: "select athlete_id, zones, source_order, zones_seen, erased_before from athletes",
  athlete_metrics: "select * from athlete_metrics",
  sleep_sessions: "select * from sleep_sessions",
  sleep_streams: "select session_id, athlete_id, row_count, channels from sleep_streams",
  day_facts: "select athlete_id, date, facts, passed_hash = hash as passed from day_facts",
  daily_totals: "select * from daily_totals",
  sample_tombstones: "select athlete_id, sample_id, reason, twin_key from sample_tombstones",
  sample_syncs: "select * from sample_syncs",
  windows: "select athlete_id, local_date, closes_at, closed_at is not null as closed from windows",
  health_streams: "select athlete_id, period_start, period_end, level, row_count, stats from health_streams",
  dead_letters:
    "select id, athlete_id, reason, path, detail, content_type, encode(payload, 'hex') as payload, origin from dead_letters",
  ingest_batches:
    "select athlete_id, batch_id, body_hash, received, accepted, deletions, rejected, ignored from ingest_batches",
} as const;

const compacted = (records: readonly TopicRecord[]): unknown[] =>
  [...lastPerKey(records).last].flatMap(([key, { value }]) => (value === null ? [] : [{ key, value }]));

/** Canonical lines by table, objects' rows and topic: two runs that received the same must give the same. */
export const finalState = async (databaseUrl: string, stored: Stored): Promise<FinalState> => {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const state: FinalState = {};
  try {
    for (const [table, query] of Object.entries(TABLES)) state[table] = lines((await client.query(query)).rows);
  } finally {
    await client.end();
  }
  const rows = stored.rows.map((row) => ({
    ...row,
    where: row.where === "staging" ? "staging" : "object",
    attributes: row.attributes === null ? null : (JSON.parse(row.attributes) as unknown),
  }));
  state["rows"] = lines(rows);
  for (const topic of ["metrics", "day-partitions", "sleep-sessions"]) {
    state[`topic ${topic}`] = lines(compacted(stored.topics.get(topic) ?? []));
  }
  return state;
};

/** What differs, a few lines a table: the ids of health values' rows, for a failing test only. */
export const differences = (a: FinalState, b: FinalState): string[] =>
  Object.keys(a).flatMap((name) => {
    const [left, right] = [new Set(a[name]), new Set(b[name])];
    const only = [...left].filter((l) => !right.has(l)).map((l) => `− ${name} ${l}`);
    const more = [...right].filter((l) => !left.has(l)).map((l) => `+ ${name} ${l}`);
    return [...only.slice(0, 3), ...more.slice(0, 3)];
  });
