import type { Instant, SampleChunk, SentDaily, SentDeletion, SentSample, SentSeries } from "../domain/sample.ts";
import { chunkSize, dailySize, deletionSize, sampleSize, seriesSize } from "./encoded-size.ts";
import type { SeriesHead } from "./read-sample.ts";

export type InputTopic = "samples" | "sleep" | "backfill";

/** Limits of one record (contract §2). Deletions and daily values count like samples. */
export const MAX_CHUNK_ENTRIES = 500;
export const MAX_CHUNK_BYTES = 256 * 1024;

/** Samples that ended longer ago go the slow way, so that history never delays today. */
const BACKFILL_AGE = 48 * 3_600_000;

const SLEEP = "HKCategoryTypeIdentifierSleepAnalysis";

export type ChunkHead = Omit<SampleChunk, "chunk" | "series" | "deletions" | "daily">;

/** Where a sample goes: imports and late ones to the backfill, sleep to its own topic. */
export const topicOf = (
  sample: { type: string; end_at: Instant },
  batch: { kind: "http" | "import"; received_at: Instant },
): InputTopic => {
  if (batch.kind === "import" || sample.end_at < batch.received_at - BACKFILL_AGE) return "backfill";
  return sample.type === SLEEP ? "sleep" : "samples";
};

/** True where one sample alone would not fit into a chunk. */
export const tooLarge = (head: ChunkHead, series: SeriesHead, sample: SentSample): boolean =>
  chunkSize({ ...head, chunk: 0 }) + seriesSize(series) + sampleSize(sample) > MAX_CHUNK_BYTES;

type Open = { chunk: SampleChunk; series: Map<string, SentSeries>; entries: number; bytes: number };

/** Cuts a batch into chunks, per topic, numbered through the whole batch from 0 in the order in which they fill. */
export const chunkBuilder = (head: ChunkHead) => {
  const done: { topic: InputTopic; chunk: SampleChunk }[] = [];
  const open = new Map<InputTopic, Open>();
  const base = chunkSize({ ...head, chunk: 0 });

  const begin = (topic: InputTopic): Open => {
    const chunk: SampleChunk = { ...head, chunk: done.length, series: [], deletions: [], daily: [] };
    const fresh: Open = { chunk, series: new Map(), entries: 0, bytes: base };
    done.push({ topic, chunk });
    open.set(topic, fresh);
    return fresh;
  };

  /** The chunk that takes `bytes` more, and one more entry. */
  const roomFor = (topic: InputTopic, bytes: number): Open => {
    const current = open.get(topic);
    const fits = current && current.entries < MAX_CHUNK_ENTRIES && current.bytes + bytes <= MAX_CHUNK_BYTES;
    const chosen = fits ? current : begin(topic);
    chosen.entries += 1;
    chosen.bytes += bytes;
    return chosen;
  };

  return {
    addSample(topic: InputTopic, series: SeriesHead, sample: SentSample): void {
      const key = JSON.stringify(Object.values(series));
      const known = open.get(topic)?.series.has(key) ?? false;
      const chosen = roomFor(topic, sampleSize(sample) + (known ? 0 : seriesSize(series)));
      let group = chosen.series.get(key);
      if (!group) {
        // A chunk begun just now does not know the series that the one before it did.
        if (known) chosen.bytes += seriesSize(series);
        group = { ...series, samples: [] };
        chosen.series.set(key, group);
        chosen.chunk.series.push(group);
      }
      group.samples.push(sample);
    },
    addDeletion(topic: InputTopic, deletion: SentDeletion): void {
      roomFor(topic, deletionSize(deletion)).chunk.deletions.push(deletion);
    },
    addDaily(topic: InputTopic, daily: SentDaily): void {
      roomFor(topic, dailySize(daily)).chunk.daily.push(daily);
    },
    chunks: (): readonly { topic: InputTopic; chunk: SampleChunk }[] => done,
  };
};
