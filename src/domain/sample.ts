/** Milliseconds since the epoch, UTC. */
export type Instant = number;
/** The athlete's local date, `YYYY-MM-DD`. */
export type LocalDate = string;

/**
 * What is not pure language comes in as an argument (I11): SHA-1 and SHA-256 of UTF-8 text.
 * Both return lower-case hex.
 */
export type Digest = {
  readonly sha1: (bytes: Uint8Array) => string;
  readonly sha256: (text: string) => string;
};

/** One sample as it was sent: the Avro record `health.v1.Sample`, field for field. */
export type SentSample = {
  sample_id: string;
  synthetic: boolean;
  start_at: Instant;
  end_at: Instant;
  value: number;
  time_zone: string | null;
  created: Instant | null;
  sync_id: string | null;
  sync_version: number | null;
  user_entered: boolean;
  count: number | null;
  min: number | null;
  max: number | null;
  aggregated: boolean;
  group_id: string | null;
  /** JSON object of the remaining metadata, as sent. */
  metadata: string | null;
};

export type Door = "native" | "health_auto_export" | "open_wearables" | "open_mhealth" | "apple_export" | "kafka";

/** Samples that share type, unit and origin: the Avro record `health.v1.Series`. */
export type SentSeries = {
  type: string;
  unit: string | null;
  source_name: string | null;
  bundle_id: string | null;
  product_type: string | null;
  device: string | null;
  door: string;
  samples: SentSample[];
};

export type SentDeletion = { sample_id: string; type: string | null };

/** `date` is days since the epoch, as Avro's logical type `date` has it. */
export type SentDaily = { date: number; type: string; value: number; unit: string };

/** One athlete's slice of one batch, as sent: the Avro record `health.v1.SampleChunk`. */
export type SampleChunk = {
  athlete_id: string;
  provider: string;
  batch_id: string;
  chunk: number;
  received_at: Instant;
  batch_time_zone: string | null;
  series: SentSeries[];
  deletions: SentDeletion[];
  daily: SentDaily[];
};

/** Everything that `recompute` needs once the topics are gone (contract §4). Absent means null, false or unknown. */
export type Attributes = {
  created?: Instant;
  bundle_id?: string;
  product_type?: string;
  device_class?: DeviceClass;
  sync_id?: string;
  sync_version?: number;
  user_entered?: true;
  motion_context?: number;
  count?: number;
  min?: number;
  max?: number;
  aggregated?: true;
  group_id?: string;
  synthetic?: true;
  door?: string;
  flags?: string[];
  type?: string;
  value_received?: number;
  unit_received?: string | null;
  zone_sent?: string;
  batch_zone?: string;
  tz_source?: "sample" | "athlete" | "batch" | "utc";
  metadata?: Record<string, unknown>;
};

export type DeviceClass = "watch" | "phone" | "ring" | "bed" | "device" | "app" | "manual";

/** One canonical sample: a row of health_samples_staging and of a health_streams object. */
export type Sample = {
  athlete_id: string;
  sample_id: string;
  metric: string;
  start_at: Instant;
  end_at: Instant;
  value: number;
  unit: string;
  /** Normalised source name: U+00A0 becomes a space, U+2019 becomes '. */
  source: string;
  /** The model, or null. */
  device: string | null;
  tz: string;
  local_date: LocalDate;
  attributes: Attributes;
  received_at: Instant;
};

export type TombstoneReason = "deleted" | "adopted" | "superseded";

/** [metric, start second, end second, source, value] of a deleted sample, once its content was seen (D10). */
export type TwinKey = readonly [metric: string, startSecond: number, endSecond: number, source: string, value: number];

export type Tombstone = { sample_id: string; reason: TombstoneReason; twin_key: TwinKey | null };

/** An athlete's settings that rules read. `zones` ascending by `from`. */
export type AthleteSettings = {
  zones: readonly { from: Instant; zone: string }[];
  source_order: Readonly<Record<string, readonly string[]>>;
};
