import type { SampleChunk, SentDaily, SentDeletion, SentSample } from "../domain/sample.ts";
import type { SeriesHead } from "./read-sample.ts";

/**
 * Upper bounds of Avro's encoding, without encoding: what a chunk may hold is decided before it is built. Lengths and
 * longs are counted with the most bytes that they can take (5 and 10), doubles take 8, a union 1 more.
 */
const text = (value: string | null): number => (value === null ? 1 : 6 + Buffer.byteLength(value));

const LONG = 10;
const DOUBLE = 8;
const BOOLEAN = 1;
const OPTION = 1;

/** start, end, value, user_entered, synthetic, aggregated and the five optional numbers. */
const FIXED_SAMPLE = 2 * LONG + DOUBLE + 3 * BOOLEAN + 3 * (OPTION + LONG) + 2 * (OPTION + DOUBLE);

export const sampleSize = (sample: SentSample): number =>
  FIXED_SAMPLE +
  text(sample.sample_id) +
  text(sample.time_zone) +
  text(sample.sync_id) +
  text(sample.group_id) +
  text(sample.metadata);

/** A series without its samples: block count and end of the array included. */
export const seriesSize = (head: SeriesHead): number =>
  2 * LONG +
  text(head.type) +
  text(head.unit) +
  text(head.source_name) +
  text(head.bundle_id) +
  text(head.product_type) +
  text(head.device) +
  text(head.door);

export const deletionSize = (deletion: SentDeletion): number => text(deletion.sample_id) + text(deletion.type);

export const dailySize = (daily: SentDaily): number => LONG + text(daily.type) + DOUBLE + text(daily.unit);

/** A chunk without its series, deletions and daily values; the framing's five bytes included. */
export const chunkSize = (head: Omit<SampleChunk, "series" | "deletions" | "daily">): number =>
  5 +
  text(head.athlete_id) +
  text(head.provider) +
  text(head.batch_id) +
  2 * LONG +
  text(head.batch_time_zone) +
  6 * LONG;
