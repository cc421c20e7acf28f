// Written by `node test/support/record-topic-documents.ts` from topics/ and avro/: change those.

export type Sample = {
  /** UUID */
  sample_id: string;
  /** True when the client sent no uuid. */
  synthetic: boolean;
  /** milliseconds since the epoch, UTC */
  start_at: number;
  /** milliseconds since the epoch, UTC */
  end_at: number;
  value: number;
  /** HKTimeZone or the sample's own zone. */
  time_zone: null | string;
  /** milliseconds since the epoch, UTC */
  created: null | number;
  sync_id: null | string;
  sync_version: null | number;
  user_entered: boolean;
  count: null | number;
  min: null | number;
  max: null | number;
  aggregated: boolean;
  /** Correlation, e.g. both values of one blood pressure. */
  group_id: null | string;
  /** JSON of the remaining metadata. */
  metadata: null | string;
};

export type Series = {
  /** HealthKit identifier as sent. */
  type: string;
  unit: null | string;
  source_name: null | string;
  bundle_id: null | string;
  product_type: null | string;
  device: null | string;
  /** native, health_auto_export, open_wearables, apple_export, kafka */
  door: string;
  samples: Sample[];
};

export type Deletion = {
  /** UUID */
  sample_id: string;
  type: null | string;
};

export type DailyTotal = {
  /** days since the epoch */
  date: number;
  type: string;
  value: number;
  unit: string;
};

/** One athlete's slice of one batch, as sent. */
export type SampleChunk = {
  athlete_id: string;
  provider: string;
  batch_id: string;
  /** Number of this chunk in its batch, from 0. */
  chunk: number;
  /** Stamped by the edge; orders copies of the same sample.; milliseconds since the epoch, UTC */
  received_at: number;
  batch_time_zone: null | string;
  series: Series[];
  deletions: Deletion[];
  daily: DailyTotal[];
};

export type Rejection = {
  index: number;
  uuid: null | string;
  reason: string;
  path: string;
  detail: string;
};

export type Written = {
  topic: string;
  topic_partition: number;
  last_offset: number;
};

export type BatchReceipt = {
  athlete_id: string;
  batch_id: string;
  /** milliseconds since the epoch, UTC */
  received_at: number;
  body_hash: string;
  anchor: null | string;
  received: number;
  accepted: number;
  deletions: number;
  rejected: Rejection[];
  written: Written[];
  /** Known types that are not used, counted by type. */
  ignored: Record<string, number>;
};

export type DayPartition = {
  athlete_id: string;
  /** days since the epoch */
  period_start: number;
  /** days since the epoch */
  period_end: number;
  level: string;
  object_key: string;
  generation: number;
  row_count: number;
  bytes: number;
  content_hash: string;
  /** milliseconds since the epoch, UTC */
  written_at: number;
  rows_hash: null | string;
  revision: number;
};

export type Origin = {
  kind: "http" | "import" | "topic";
  batch_id: null | string;
  index: null | number;
  topic: null | string;
  topic_partition: null | number;
  offset: null | number;
};

export type DeadLetter = {
  /** UUID */
  id: string;
  athlete_id: null | string;
  reason: string;
  path: null | string;
  detail: string;
  content_type: string;
  /** The sample's or record's bytes as received. */
  payload: Uint8Array;
  origin: Origin;
  attempts: number;
  /** milliseconds since the epoch, UTC */
  first_seen_at: number;
};

export type AthleteMetric = {
  athlete_id: string;
  /** days since the epoch */
  date: number;
  metric: string;
  source: string;
  value: null | number;
  unit: string;
  locked: boolean;
  synced_value: null | number;
  is_final: boolean;
  /** early, on_time, late; null for a person's edit */
  pane: null | string;
  /** Rule and version, e.g. rhr/1 */
  method: null | string;
  input_hash: null | string;
  revision: number;
  /** milliseconds since the epoch, UTC */
  updated_at: number;
  /** JSON */
  provenance: null | string;
};

export type SleepSession = {
  athlete_id: string;
  /** UUID */
  session_id: string;
  /** days since the epoch */
  date: number;
  source: string;
  kind: string;
  is_main_sleep: boolean;
  /** milliseconds since the epoch, UTC */
  start_at: number;
  /** milliseconds since the epoch, UTC */
  end_at: number;
  tz: string;
  time_in_bed_s: null | number;
  total_sleep_s: null | number;
  deep_s: null | number;
  rem_s: null | number;
  light_s: null | number;
  awake_s: null | number;
  unspecified_s: null | number;
  onset_latency_s: null | number;
  wakeup_count: null | number;
  efficiency: null | number;
  sleep_score: null | number;
  hrv_ms: null | number;
  resting_hr: null | number;
  avg_hr: null | number;
  min_hr: null | number;
  respiratory_rate: null | number;
  spo2: null | number;
  spo2_min: null | number;
  score_method: null | string;
  /** UUID */
  superseded_by: null | string;
  revision: number;
  /** milliseconds since the epoch, UTC */
  updated_at: number;
  /** JSON */
  score_components: null | string;
  is_final: boolean;
  /** Sleep onset; null where nobody slept; milliseconds since the epoch, UTC */
  onset_at: null | number;
  /** End of the last asleep interval; milliseconds since the epoch, UTC */
  final_wake_at: null | number;
  /** Time between onset and final wake that no sample tells about */
  gap_s: null | number;
};

export type WindowTouched = {
  athlete_id: string;
  dates: number[];
  reason: string;
};

/** The value of each topic; on compacted ones also null, a tombstone. */
export type TopicRecords = {
  "health.backfill.v1": SampleChunk;
  "health.batches.v1": BatchReceipt;
  "health.day-partitions.v1": DayPartition;
  "health.deadletter.v1": DeadLetter;
  "health.metrics.v1": AthleteMetric;
  "health.samples.v1": SampleChunk;
  "health.sleep-sessions.v1": SleepSession;
  "health.sleep.v1": SampleChunk;
  "health.windows.v1": WindowTouched;
};

