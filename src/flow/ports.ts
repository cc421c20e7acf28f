import type { Instant, Sample } from "../domain/sample.ts";
import type { StreamRow } from "../domain/sleep/streams.ts";
import type { Outcome } from "./outcome.ts";

export type Clock = { now(): Instant };

/**
 * SQL in one transaction. Answers carry timestamptz as milliseconds (number), date as `YYYY-MM-DD`,
 * int8 and numeric as number, json parsed. Parameters: pass `new Date(ms)` for timestamptz, objects for json(b) as
 * `JSON.stringify(...)`, `Buffer` for bytea.
 */
export type Reader = {
  query<Row = Record<string, unknown>>(text: string, params?: readonly unknown[]): Promise<Row[]>;
  /**
   * COPY (query) TO STDOUT binary, decoded row by row to arrays in column order. `types` must be the query's exact
   * column types (cast where in doubt). $1 … are replaced by literals: strings, numbers, dates and arrays of these.
   */
  copyOut(query: string, types: readonly CopyType[], params?: readonly unknown[]): Promise<unknown[][]>;
};
export type Tx = Reader & {
  /** COPY table (columns) FROM STDIN binary. Values in the shapes that `query` answers with. */
  copyIn(table: string, columns: readonly CopyColumn[], rows: Iterable<readonly unknown[]>): Promise<void>;
  /** Said once this is committed, to whoever listens in any process; may be lost. */
  announce(news: News): void;
};
/** Rows in the outbox; work for the windows stage that no wake-up in Kafka tells of. */
export type News = "outbox" | "windows";
export type CopyType =
  | "text"
  | "uuid"
  | "timestamptz"
  | "date"
  | "float8"
  | "int8"
  | "int4"
  | "bool"
  | "jsonb"
  | "bytea";
export type CopyColumn = { name: string; type: CopyType };

export type Database = {
  /** READ COMMITTED. Rolls back when `work` throws. Retries nothing. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** REPEATABLE READ, READ ONLY: everything read inside is one snapshot. */
  snapshot<T>(work: (tx: Reader) => Promise<T>): Promise<T>;
  query<Row = Record<string, unknown>>(text: string, params?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
};

export class ObjectMissing extends Error {}
/** The key is taken by other bytes: a key was used twice, which is a bug. */
export class ObjectConflict extends Error {}

/** Immutable objects in one bucket. */
export type ObjectStore = {
  /** Create-only (If-None-Match: *), checksummed. The same bytes under the same key already there is success; others throw ObjectConflict. */
  put(key: string, body: Uint8Array): Promise<void>;
  /** Throws ObjectMissing. */
  get(key: string): Promise<Uint8Array>;
  /** A part of an object, which must hold it whole. Throws ObjectMissing. */
  getRange(key: string, range: ByteRange): Promise<Uint8Array>;
  delete(keys: readonly string[]): Promise<void>;
  list(prefix: string): AsyncIterable<{ key: string; bytes: number; modified_at: Instant }>;
};

/** Bytes [from, to) of an object. */
export type ByteRange = { from: number; to: number };

/** Objects of health_streams and sleep_streams (lake-layout.md). Everything is synchronous and pure; equal rows give equal bytes. */
export type ParquetFormat = {
  /** Sorts by metric, start_at, end_at, sample_id. Throws on an empty list, and on two rows with one sample_id. */
  encodeDay: (samples: readonly Sample[]) => Uint8Array;
  decodeDay: (bytes: Uint8Array) => Sample[];
  /** The rows of one metric of a day or month object, in the file's order. */
  decodeMetric: (bytes: Uint8Array, metric: string) => Sample[];
  /** Of a month: a row group a large metric. `footer` is the file's own, compressed, to plan requests by. */
  encodeMonth: (samples: readonly Sample[]) => { body: Uint8Array; footer: Uint8Array };
  /** Where a metric's rows lie in the file that the footer is of; null where it has none. */
  metricRange: (footer: Uint8Array, metric: string) => ByteRange | null;
  /** The rows of one metric from the bytes of its `metricRange`, which begin at `from` of the file. */
  decodeRange: (footer: Uint8Array, part: { bytes: Uint8Array; from: number }, metric: string) => Sample[];
  /** Where the columns of `decodeSeries` lie in the file that the footer is of; null where it has not the metric. */
  seriesRange: (footer: Uint8Array, metric: string) => ByteRange | null;
  /** The values of a metric with the epoch day or the start of each, in the file's order, without making rows. */
  decodeSeries: (part: SeriesPart, metric: string, by: "local_date" | "start_at") => SeriesColumns;
  decodeIds: (bytes: Uint8Array) => string[];
  /** Of one session. Sorts by channel, start_at, end_at, source, value. Throws on an empty list. */
  encodeSleep: (rows: readonly StreamRow[]) => Uint8Array;
  decodeSleep: (bytes: Uint8Array) => StreamRow[];
  openTable: (columns: readonly ParquetColumn[]) => ParquetTable;
};

/** The bytes of a `seriesRange`, which begin at `from` of the file; footer null: a whole file. */
export type SeriesPart = { bytes: Uint8Array; from: number; footer: Uint8Array | null };
export type SeriesColumns = { at: ArrayLike<number>; values: ArrayLike<number> };

/** Cells: milliseconds, `YYYY-MM-DD`, numbers, text. */
export type ParquetColumn = { name: string; type: "instant" | "date" | "double" | "count" | "text" | "uuid" };
/** A file that is given away while it is written: each answer is its next bytes, and rows given are a row group. */
export type ParquetTable = { group(rows: readonly (readonly unknown[])[]): Uint8Array; end(): Uint8Array };

export type OutgoingRecord = {
  topic: string;
  key: string | null;
  value: Uint8Array | null;
  headers?: Record<string, string>;
};
export type Written = { topic: string; topic_partition: number; last_offset: number };

/** acks=all; no acknowledged record may be lost (kafka-client.md, rule P). A rejection means *unknown*: never success. */
export type Producer = {
  /** Resolves once every record is acknowledged; answers the last offset per topic partition written. */
  send(records: readonly OutgoingRecord[]): Promise<Written[]>;
  close(): Promise<void>;
};
/** One Kafka transaction a call. Any failure ends the producer: throw it away and open a new one. */
export type TransactionalProducer = Producer;

export type TopicPartition = { topic: string; topic_partition: number };
export type RawRecord = TopicPartition & {
  offset: number;
  /** Broker time: input topics use LogAppendTime. */
  timestamp: Instant;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
};
export type FetchedBatch = TopicPartition & {
  /** The offset that was asked for, exact even over gaps. */
  fetched_from: number;
  records: RawRecord[];
  high_watermark: number;
};

/**
 * A group member with its positions kept elsewhere. Callbacks are synchronous: they hand off and return at once,
 * so that the client's loop keeps its heartbeat. All assigned partitions are paused before `assigned` is called.
 */
export type GroupConsumer = {
  start(callbacks: {
    assigned(partitions: TopicPartition[]): void;
    batch(batch: FetchedBatch): void;
    /** The client reset or lost its place in this topic partition, or (null) in some of them. */
    suspect(partition: TopicPartition | null): void;
    /** A fetch was answered: the connection lives. */
    fetched(): void;
    crashed(error: Error): void;
  }): Promise<void>;
  seek(partition: TopicPartition, offset: number): void;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** Advisory, for lag tools. Errors are only logged. */
  commit(partition: TopicPartition, position: number): void;
  stop(): Promise<void>;
};

/** Questions about the log. `low` is the first offset there, `high` the next to be written. */
export type LogInfo = {
  bounds(topic: string): Promise<Map<number, { low: number; high: number }>>;
  clusterId(): Promise<string>;
};

/** Confluent framing, writer schemas on an allow-list, bytes, items and depth bounded before decoding. */
export type Codec = {
  /** Encodes for the topic's value subject. */
  encode(topic: string, value: unknown): Promise<Buffer>;
  /** `dead` with bad_frame, unknown_schema or bad_payload; throws when the registry is away and the id is not known yet. */
  decode(topic: string, bytes: Buffer): Promise<Outcome<unknown>>;
};

/** Telemetry as typed events; the adapter turns them into logs and Prometheus figures. Never a health value. */
export type Telemetry = {
  /** Structured line at info. */
  info(event: string, fields: Record<string, unknown>): void;
  warn(event: string, fields: Record<string, unknown>): void;
  count(name: CounterName, labels: Record<string, string>, by?: number): void;
  gauge(name: GaugeName, labels: Record<string, string>, value: number): void;
  time(name: TimerName, labels: Record<string, string>, milliseconds: number): void;
};
export type CounterName = "records" | "panes" | "objects" | "events" | "http_requests" | "restarts" | "commit_retries";
export type GaugeName =
  | "lag_records"
  | "dirty_windows"
  | "oldest_dirty_day_age_days"
  | "outbox_rows"
  | "refused"
  | "backfill_windows"
  | "backfill_seconds_left";
export type TimerName = "commit_ms" | "pane_ms" | "http_ms" | "publish_ms";

/** Called at every named step of a commit order. In production a no-op; fault runs kill or stop the process there. */
export type OnStep = (step: string) => void | Promise<void>;

/** Another process opened the same transactional id: ours has ended, and what it had not committed is rolled back. */
export class ProducerFenced extends Error {}
