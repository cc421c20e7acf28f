import type { LocalDate } from "../domain/sample.ts";
import { sha256Hex } from "../flow/digest.ts";
import type { ObjectWrite } from "../flow/effects.ts";
import type { Database, ParquetFormat } from "../flow/ports.ts";
import type { PartitionObject } from "./months.ts";
import type { StreamObject } from "./session-changes.ts";
import { type DayStats, newestZone, statsOf, summariesOf } from "./stats.ts";

/** A pointer row to come, without its revision. */
export type NewPointer = {
  period_start: LocalDate;
  period_end: LocalDate;
  level: "day" | "month";
  object_key: string;
  generation: number;
  row_count: number;
  bytes: number;
  content_hash: string;
  rows_hash: string;
  stats: DayStats;
  newest_tz: string | null;
  summaries: string[];
  /** Of a month: the file's own, compressed. */
  footer: Uint8Array | null;
};

export type Written = { write: ObjectWrite; pointer: NewPointer };

/** A pointer row of sleep_streams to come. */
export type NewStream = {
  session_id: string;
  object_key: string;
  generation: number;
  row_count: number;
  bytes: number;
  content_hash: string;
  rows_hash: string;
  channels: string[];
};

export type WrittenStream = { write: ObjectWrite; pointer: NewStream };

/** As many generation numbers, never used before or again. */
export const nextGenerations = async (db: Database, count: number): Promise<number[]> => {
  if (count === 0) return [];
  const rows = await db.query<{ n: number }>(`select nextval('object_generations') as n from generate_series(1, $1)`, [
    count,
  ]);
  return rows.map((row) => row.n);
};

const HASH_IN_KEY = 16;

/**
 * `health_streams/athlete=a_<id>/month=<YYYY-MM>/<YYYY-MM-DD>.g<generation>.<hash>.parquet`, of a month
 * `<YYYY-MM>.g<generation>.<hash>.parquet` (contract §4).
 */
const partitionKey = (
  athleteId: string,
  { period_start, level }: Pick<PartitionObject, "period_start" | "level">,
  generation: number,
  contentHash: string,
): string => {
  const month = period_start.slice(0, 7);
  const name = level === "day" ? period_start : month;
  const hash = contentHash.slice(0, HASH_IN_KEY);
  return `health_streams/athlete=a_${athleteId}/month=${month}/${name}.g${generation}.${hash}.parquet`;
};

/** Encodes a day or a month under a new key that carries its content hash. */
export const writtenPartition = (
  parquet: ParquetFormat,
  athleteId: string,
  object: PartitionObject,
  generation: number,
): Written => {
  const { period_start, period_end, level, rows, rows_hash } = object;
  const month = level === "month" ? parquet.encodeMonth(rows) : null;
  const body = month === null ? parquet.encodeDay(rows) : month.body;
  const content_hash = sha256Hex(body);
  const object_key = partitionKey(athleteId, object, generation, content_hash);
  return {
    write: { key: object_key, athlete_id: athleteId, body },
    pointer: {
      period_start,
      period_end,
      level,
      object_key,
      generation,
      row_count: rows.length,
      bytes: body.length,
      content_hash,
      rows_hash,
      stats: statsOf(rows),
      newest_tz: newestZone(rows),
      summaries: summariesOf(rows),
      footer: month?.footer ?? null,
    },
  };
};

/** `sleep_streams/athlete=a_<id>/month=<YYYY-MM>/<session_id>.g<generation>.<hash>.parquet`, the month of the wake date. */
const streamKey = (athleteId: string, stream: StreamObject, generation: number, contentHash: string): string =>
  `sleep_streams/athlete=a_${athleteId}/month=${stream.date.slice(0, 7)}/` +
  `${stream.session_id}.g${generation}.${contentHash.slice(0, HASH_IN_KEY)}.parquet`;

/** Encodes a session's stream under a new key that carries its content hash. */
export const writtenStream = (
  parquet: ParquetFormat,
  athleteId: string,
  stream: StreamObject,
  generation: number,
): WrittenStream => {
  const { session_id, rows, rows_hash } = stream;
  const body = parquet.encodeSleep(rows);
  const content_hash = sha256Hex(body);
  const object_key = streamKey(athleteId, stream, generation, content_hash);
  const channels = [...new Set(rows.map((row) => row.channel))].toSorted();
  const row_count = rows.length;
  return {
    write: { key: object_key, athlete_id: athleteId, body },
    pointer: { session_id, object_key, generation, row_count, bytes: body.length, content_hash, rows_hash, channels },
  };
};
