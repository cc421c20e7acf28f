import * as fc from "fast-check";
import type { SampleChunk, SentSample, SentSeries } from "../../../src/domain/sample.ts";
import { at, HR, STEPS, sent, uuid } from "../../domain/make.ts";

export { at, HR, STEPS, uuid };
export const NOON = at("2026-03-10T12:00:00Z");
export const RECEIVED = at("2026-03-20T00:00:00Z");

export const aSent = (over: Partial<SentSample> = {}): SentSample => {
  const start_at = over.start_at ?? NOON;
  return { ...sent().sample, end_at: start_at, ...over, start_at };
};
export const aSeries = (samples: SentSample[], over: Partial<SentSeries> = {}): SentSeries => ({
  ...sent().series,
  samples,
  ...over,
});
export const aChunk = (over: Partial<SampleChunk> = {}): SampleChunk => ({
  athlete_id: "a1",
  provider: "apple",
  batch_id: "b",
  chunk: 0,
  received_at: RECEIVED,
  batch_time_zone: "UTC",
  series: [],
  deletions: [],
  daily: [],
  ...over,
});
/** A chunk of heart rates. */
export const heartRates = (samples: Partial<SentSample>[], over: Partial<SampleChunk> = {}): SampleChunk =>
  aChunk({ series: [aSeries(samples.map(aSent))], ...over });
export const deleting = (...ids: string[]): SampleChunk =>
  aChunk({ deletions: ids.map((sample_id) => ({ sample_id, type: null })) });

/** Of the first two, which may be deleted, every copy says the same: a tombstone keeps the content that it met first. */
const IDS = [1, 2, 3, 4];
const sample = fc
  .record({
    n: fc.constantFrom(...IDS),
    value: fc.constantFrom(50, 60),
    time_zone: fc.constantFrom(null, "Pacific/Auckland", "America/New_York"),
  })
  .map(({ n, ...said }) => ({
    ...said,
    n,
    ...(n < 3 ? { start_at: NOON + n, value: 70 + n } : { start_at: NOON + n }),
  }));
/** One uuid has one version, though not every copy says it; of the second and third the versions are equal. */
const VERSIONS = [0, 1, 2, 2, 3];
const version = fc.boolean();

type Drawn = { n: number; value: number; time_zone: string | null };
const upgradable = ([{ n, time_zone }, said]: [Drawn, boolean]): SentSample =>
  aSent({
    sample_id: uuid(0xc0 + n),
    value: 80 + n,
    time_zone,
    sync_id: said ? "s" : null,
    sync_version: said ? (VERSIONS[n] ?? 0) : null,
  });
const aggregate = ({ n, value, time_zone }: Drawn): SentSample =>
  aSent({ sample_id: uuid(0xa0 + n), value, time_zone, synthetic: true, aggregated: true });

/**
 * What one athlete may send: few ids, so that copies, conflicts, deletions, versions and totals meet. Aggregates have
 * ids of their own, and an id keeps its kind and its sync identifier, as HealthKit's do.
 */
export const chunkOf = (n: number): fc.Arbitrary<SampleChunk> =>
  fc.record({
    athlete_id: fc.constantFrom("a1", "a1", "a2"),
    provider: fc.constant("apple"),
    batch_id: fc.constant(`b${n}`),
    chunk: fc.constant(0),
    received_at: fc.nat(5).map((minutes) => RECEIVED + minutes * 60_000),
    batch_time_zone: fc.constantFrom(null, "Asia/Tokyo"),
    series: fc
      .tuple(
        fc.array(sample, { maxLength: 4 }),
        fc.array(fc.tuple(sample, version), { maxLength: 3 }),
        fc.array(sample, { maxLength: 2 }),
      )
      .map(([plain, versioned, aggregates]) => [
        aSeries(plain.map(({ n, ...one }) => aSent({ ...one, sample_id: uuid(n) }))),
        aSeries(versioned.map(upgradable), { bundle_id: "org.example" }),
        aSeries(aggregates.map(aggregate)),
      ]),
    deletions: fc.array(
      fc.record({
        sample_id: fc.constantFrom(uuid(1), uuid(2), uuid(0xc1).toUpperCase(), uuid(0xc2)),
        type: fc.constant(null),
      }),
      { maxLength: 2 },
    ),
    daily: fc.array(
      fc.record({
        date: fc.constantFrom(20_520, 20_521),
        type: fc.constant(STEPS),
        value: fc.constantFrom(1000, 2000),
        unit: fc.constant("count"),
      }),
      { maxLength: 2 },
    ),
  });

export const chunks: fc.Arbitrary<SampleChunk[]> = fc
  .integer({ min: 1, max: 6 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, n) => chunkOf(n))));

/** The same received in another order, some of it again, cut into batches of records anywhere. */
export const replayed = (all: readonly SampleChunk[]): fc.Arbitrary<SampleChunk[][]> =>
  fc
    .tuple(
      fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length }),
      fc.subarray([...all]),
      fc.infiniteStream(fc.boolean()),
    )
    .map(([shuffled, again, cuts]) => {
      const batches: SampleChunk[][] = [[]];
      for (const chunk of [...shuffled, ...again]) {
        batches.at(-1)?.push(chunk);
        if (cuts.next().value) batches.push([]);
      }
      return batches;
    });
