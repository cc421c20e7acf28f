/** Everything that the auditor takes from the stores, as plain data. */
export type StoredRow = {
  athlete_id: string;
  sample_id: string;
  metric: string;
  start_at: number;
  end_at: number;
  value: number;
  unit: string;
  source: string;
  device: string | null;
  tz: string;
  local_date: string;
  /** JSON as stored; the checks do not read it, a dump of the final state does. */
  attributes: string | null;
  /** `staging`, or the key of the object that holds it. */
  where: string;
};
export type Pointer = {
  athlete_id: string;
  period_start: string;
  period_end: string;
  level: string;
  object_key: string;
  generation: number;
  row_count: number;
  bytes: number;
  content_hash: string;
  rows_hash: string;
  revision: number;
};
export type MetricRow = {
  athlete_id: string;
  date: string;
  metric: string;
  source: string;
  value: number | null;
  unit: string;
  locked: boolean;
  synced_value: number | null;
  is_final: boolean;
  method: string | null;
  revision: number;
};
/** A row of sleep_sessions, instants in milliseconds. */
export type SessionRow = {
  session_id: string;
  athlete_id: string;
  date: string;
  kind: string;
  is_main_sleep: boolean;
  start_at: number;
  end_at: number;
  score_components: Record<string, unknown> | null;
  is_final: boolean;
  revision: number;
} & Record<string, unknown>;
export type SleepPointer = {
  session_id: string;
  athlete_id: string;
  object_key: string;
  row_count: number;
  bytes: number;
  content_hash: string;
  channels: string[];
};
/** A row of a sleep_streams object. */
export type StreamRow = {
  session_id: string;
  channel: string;
  start_at: number;
  end_at: number;
  value: number;
  source: string;
  where: string;
};
export type Rejection = { index: number; uuid: string | null; reason: string; path: string };
export type Receipt = {
  athlete_id: string;
  batch_id: string;
  received_at: number;
  received: number;
  accepted: number;
  deletions: number;
  rejected: Rejection[];
};
export type Letter = {
  id: string;
  athlete_id: string | null;
  reason: string;
  path: string | null;
  origin: { kind: string; batch_id: string | null };
};
export type WindowRow = { athlete_id: string; local_date: string; dirty: number; fired: number; closed: boolean };
/** What was found under a pointer's key. `readable` is false where no second Parquet reader opens it. */
export type ObjectFound = { bytes: number; content_hash: string; rows: number; readable: boolean };
export type Listed = { key: string; modified_at: number };
/** One record of a topic; `value` null is a tombstone. */
export type TopicRecord = {
  topic_partition: number;
  offset: number;
  key: string | null;
  value: Record<string, unknown> | null;
  revision_header: number | null;
};

export type Stored = {
  now: number;
  rows: StoredRow[];
  pointers: Pointer[];
  metrics: MetricRow[];
  sessions: SessionRow[];
  sleepPointers: SleepPointer[];
  streamRows: StreamRow[];
  receipts: Receipt[];
  letters: Letter[];
  windows: WindowRow[];
  outbox: number;
  objects: Map<string, ObjectFound>;
  listed: Listed[];
  /** Keys noted in object_intents, being written or waiting for the sweeper, and when they were. */
  intents: Map<string, number>;
  /** By the topic's name without prefix: metrics, day-partitions, deadletter, batches. Only topics that exist. */
  topics: Map<string, TopicRecord[]>;
};
