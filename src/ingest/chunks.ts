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

type KnownSeries = { head: SeriesHead; bytes: number };

/** A sample that fits into a chunk, with the most bytes that it can take there. */
export type Sized = { series: KnownSeries; sample: SentSample; bytes: number };

type Open = { chunk: SampleChunk; series: Map<KnownSeries, SentSeries>; entries: number; bytes: number };

/** No text of a series holds U+0000, and none is empty. */
const keyOf = ({ type, unit, source_name, bundle_id, product_type, device, door }: SeriesHead): string =>
  `${type}\0${unit ?? ""}\0${source_name ?? ""}\0${bundle_id ?? ""}\0${product_type ?? ""}\0${device ?? ""}\0${door}`;

/** The one object that stands for equal series, with its size. */
const seriesKnown = () => {
  const known = new Map<string, KnownSeries>();
  let last: { head: SeriesHead; series: KnownSeries } | null = null;
  const of = (head: SeriesHead): KnownSeries => {
    const key = keyOf(head);
    const found = known.get(key);
    if (found) return found;
    const fresh = { head, bytes: seriesSize(head) };
    known.set(key, fresh);
    return fresh;
  };
  return (head: SeriesHead): KnownSeries => {
    if (last?.head !== head) last = { head, series: of(head) };
    return last.series;
  };
};

/** Cuts a batch into chunks, per topic, numbered through the whole batch from 0 in the order in which they fill. */
export const chunkBuilder = (head: ChunkHead) => {
  const done: { topic: InputTopic; chunk: SampleChunk }[] = [];
  const open = new Map<InputTopic, Open>();
  const base = chunkSize({ ...head, chunk: 0 });
  const seriesOf = seriesKnown();

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
    /** Null where the sample alone would not fit into a chunk. */
    sized(head: SeriesHead, sample: SentSample): Sized | null {
      const series = seriesOf(head);
      const bytes = sampleSize(sample);
      return base + series.bytes + bytes > MAX_CHUNK_BYTES ? null : { series, sample, bytes };
    },
    addSample(topic: InputTopic, { series, sample, bytes }: Sized): void {
      const there = open.get(topic)?.series.has(series) ?? false;
      const chosen = roomFor(topic, bytes + (there ? 0 : series.bytes));
      let group = chosen.series.get(series);
      if (!group) {
        // A chunk begun just now does not know the series that the one before it did.
        if (there) chosen.bytes += series.bytes;
        group = { ...series.head, samples: [] };
        chosen.series.set(series, group);
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
