import type { LocalDate } from "../domain/sample.ts";
import { sha256Hex } from "../flow/digest.ts";
import type { ObjectWrite } from "../flow/effects.ts";
import type { Database, ParquetFormat } from "../flow/ports.ts";
import type { DayObject } from "./decide.ts";
import type { StreamObject } from "./session-changes.ts";
import { type DayStats, statsOf } from "./stats.ts";

/** A pointer row of level `day` to come, without its revision. */
export type NewPointer = {
  period_start: LocalDate;
  object_key: string;
  generation: number;
  row_count: number;
  bytes: number;
  content_hash: string;
  rows_hash: string;
  stats: DayStats;
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

/** `health_streams/athlete=a_<id>/month=<YYYY-MM>/<YYYY-MM-DD>.g<generation>.<hash>.parquet` (contract §4). */
export const dayKey = (athleteId: string, date: LocalDate, generation: number, contentHash: string): string =>
  `health_streams/athlete=a_${athleteId}/month=${date.slice(0, 7)}/` +
  `${date}.g${generation}.${contentHash.slice(0, HASH_IN_KEY)}.parquet`;

/** Encodes a day under a new key that carries its content hash. */
export const writtenDay = (parquet: ParquetFormat, athleteId: string, day: DayObject, generation: number): Written => {
  const body = parquet.encodeDay(day.rows);
  const content_hash = sha256Hex(body);
  const key = dayKey(athleteId, day.date, generation, content_hash);
  return {
    write: { key, athlete_id: athleteId, body },
    pointer: {
      period_start: day.date,
      object_key: key,
      generation,
      row_count: day.rows.length,
      bytes: body.length,
      content_hash,
      rows_hash: day.rows_hash,
      stats: statsOf(day.rows),
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
