import { interpret, interpretDaily, readSeries } from "../domain/interpret.ts";
import type { AthleteSettings, Digest, SampleChunk, SentSeries } from "../domain/sample.ts";
import { isUuid } from "../domain/ids.ts";
import { storable } from "../domain/source.ts";
import { contentTypeOf } from "../flow/dead-letters.ts";
import type { AthleteFacts, ChunkInput, Interpreted, Refused } from "./facts.ts";

const NO_SETTINGS: AthleteSettings = { zones: [], source_order: {} };

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const head = ({ samples: _, ...series }: SentSeries): Omit<SentSeries, "samples"> => series;

const isErased = ({ received_at }: SampleChunk, erasedBefore: number | null): boolean =>
  erasedBefore !== null && received_at <= erasedBefore;

const entries = ({ series, deletions, daily }: SampleChunk): number =>
  series.reduce((sum, { samples }) => sum + samples.length, deletions.length + daily.length);

/**
 * The same pure checks as the edge's, now with what is known of the athlete: each sample gets its fate on its own.
 * What was received before the athlete's erasure is dropped whole, for ever: not even a dead letter may tell of it.
 */
export const interpretChunks = (
  inputs: readonly ChunkInput[],
  athleteOf: (athleteId: string) => Pick<AthleteFacts, "settings" | "erased_before"> | undefined,
  digest: Digest,
): Interpreted => {
  const result: Interpreted = { accepted: [], refused: [], deletions: [], daily: [], tally: {} };
  for (const input of inputs) {
    const athlete = athleteOf(input.chunk.athlete_id);
    if (isErased(input.chunk, athlete?.erased_before ?? null)) {
      count(result, "erased", entries(input.chunk));
      continue;
    }
    interpretSamples(input, athlete?.settings ?? NO_SETTINGS, result);
    interpretDailies(input, result, digest);
    interpretDeletions(input, result);
  }
  return result;
};

const count = (into: Interpreted, fate: string, by = 1): void => {
  into.tally[fate] = (into.tally[fate] ?? 0) + by;
};

const context = (chunk: SampleChunk, settings: AthleteSettings) => ({
  athlete_id: chunk.athlete_id,
  received_at: chunk.received_at,
  batch_time_zone: chunk.batch_time_zone,
  settings,
});

/** Where a refused entry came from, and what of its chunk is needed to try it again. */
const refusedOf = ({ chunk, record }: ChunkInput): Pick<Refused, "record" | "athlete_id" | "content_type"> => ({
  record,
  athlete_id: chunk.athlete_id,
  content_type: contentTypeOf("application/json", {
    received_at: chunk.received_at,
    provider: chunk.provider,
    time_zone: chunk.batch_time_zone,
  }),
});

const interpretSamples = (input: ChunkInput, settings: AthleteSettings, into: Interpreted): void => {
  const { chunk, record, lane } = input;
  const shared = context(chunk, settings);
  let index = -1;
  for (const [at, sent] of chunk.series.entries()) {
    const series = head(sent);
    const read = readSeries(series);
    for (const [place, sample] of sent.samples.entries()) {
      index += 1;
      const outcome = interpret({ ...shared, series, sample }, read);
      if (outcome.kind === "ok") {
        into.accepted.push({ sample: outcome.value, lane, topic_partition: record.topic_partition });
      } else if (outcome.kind === "ignored") count(into, "ignored");
      else {
        count(into, "dead");
        const path = `series[${at}].samples[${place}].${outcome.field}`;
        const { reason, detail } = outcome;
        const payload = json({ ...series, samples: [sample] });
        into.refused.push({ ...refusedOf(input), index, payload, reason, path, detail });
      }
    }
  }
};

/** Keeps the ids of refused deletions apart from those of samples (from 0 up) and totals (from -2 down). */
const DELETIONS_FROM = -1_000_000;

const interpretDeletions = (input: ChunkInput, into: Interpreted): void => {
  const { chunk, record, lane } = input;
  const { athlete_id, received_at: deleted_at } = chunk;
  for (const [at, { sample_id, type }] of chunk.deletions.entries()) {
    if (isUuid(sample_id)) {
      const { topic_partition } = record;
      const hint = type === null ? null : storable(type);
      into.deletions.push({ athlete_id, sample_id, type: hint, deleted_at, lane, topic_partition });
      continue;
    }
    count(into, "dead");
    const path = `deletions[${at}].uuid`;
    const detail = "uuid of a deletion must be a UUID";
    const payload = json({ sample_id, type });
    into.refused.push({ ...refusedOf(input), index: DELETIONS_FROM - at, payload, reason: "bad_uuid", path, detail });
  }
};

const interpretDailies = (input: ChunkInput, into: Interpreted, digest: Digest): void => {
  const { chunk, record, lane } = input;
  for (const [at, daily] of chunk.daily.entries()) {
    const outcome = interpretDaily(daily, chunk.received_at);
    if (outcome.kind === "ok") {
      const { athlete_id, batch_id, received_at } = chunk;
      const { date, metric, value, unit } = outcome.value;
      const content_hash = digest.sha256(JSON.stringify([metric, date, value, unit]));
      const topic_partition = record.topic_partition;
      into.daily.push({ ...outcome.value, athlete_id, batch_id, received_at, content_hash, lane, topic_partition });
    } else if (outcome.kind === "ignored") count(into, "ignored");
    else {
      count(into, "dead");
      const { reason, detail } = outcome;
      const path = `daily[${at}].${outcome.field}`;
      // Negative indexes keep the ids of refused totals apart from those of samples.
      const index = -2 - at;
      into.refused.push({ ...refusedOf(input), index, payload: json(daily), reason, path, detail });
    }
  }
};
