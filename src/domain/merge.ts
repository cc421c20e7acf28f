import { compare } from "./canonical.ts";
import { compareCopies, resolveCopies, tombstoneIds } from "./copies.ts";
import type { Digest, Sample, Tombstone, TwinKey } from "./sample.ts";
import { adoptTwins, twinKey } from "./twins.ts";

export { twinKey };

export type Adoption = { sample: Sample; twin_key: TwinKey };
export type Merged = { live: Sample[]; adopted: Adoption[] };

/** The order of rows in an object: metric, start, end, id. */
export const compareRows = (a: Sample, b: Sample): number =>
  compare(a.metric, b.metric) ||
  compare(a.start_at, b.start_at) ||
  compare(a.end_at, b.end_at) ||
  compare(a.sample_id, b.sample_id);

/** One sample an id. Renamed copies may meet a row that was renamed before, so ids are resolved twice. */
const distinct = (samples: readonly Sample[], digest: Digest): readonly Sample[] => {
  // Most hands hold each id once: nothing to gather then.
  if (new Set(samples.map((sample) => sample.sample_id)).size === samples.length) return samples;
  const byId = Map.groupBy(samples, (sample) => sample.sample_id);
  const resolve = (copies: Sample[]): Sample[] => (copies.length === 1 ? copies : resolveCopies(copies, digest));
  return distinct([...byId.values()].flatMap(resolve), digest);
};

/**
 * Deleted rows may still be in hand before anyone has noted what they were: they say it themselves, so that their twins
 * are held back from the first moment. Answers the tombstones with their twin keys as far as anything knows them.
 */
const withContent = (stones: readonly Tombstone[], rows: readonly Sample[], digest: Digest): Tombstone[] => {
  const seen = new Map(unseenContent(stones, rows, digest).map((row) => [row.sample_id, twinKey(row)] as const));
  return stones.map((stone) => ({ ...stone, twin_key: stone.twin_key ?? seen.get(stone.sample_id) ?? null }));
};

/** The rows, one an id, that tombstones without a twin key are about. */
export const unseenContent = (stones: readonly Tombstone[], rows: readonly Sample[], digest: Digest): Sample[] => {
  const unseen = new Set(stones.filter((stone) => stone.twin_key === null).map((stone) => stone.sample_id));
  const copies = Map.groupBy(
    rows.filter((row) => unseen.has(row.sample_id)),
    (row) => row.sample_id,
  );
  return [...copies.values()].flatMap((same) => same.toSorted((a, b) => compareCopies(a, b, digest)).slice(0, 1));
};

/**
 * The samples that count, of rows from anywhere (staging and objects may hold the same id): copies resolved by D6,
 * deleted ones gone, synthetic records that a uuid sample twins adopted (D10). Depends on the set of what is given
 * only, not on its order. `tombstones` are those of the ids in hand (`tombstoneIds`), and those with a twin key at a
 * start in hand. `live` is sorted as rows of an object are; `adopted` are the synthetic ids that need a tombstone.
 */
export const liveSamples = (samples: Iterable<Sample>, tombstones: Iterable<Tombstone>, digest: Digest): Merged => {
  const stones = [...tombstones];
  const dead = new Set(stones.map((stone) => stone.sample_id));
  const isAlive = (sample: Sample): boolean => dead.size === 0 || !tombstoneIds(sample).some((id) => dead.has(id));
  const rows = [...samples];
  const alive = rows.filter(isAlive);
  const { kept, adopted } = adoptTwins(distinct(alive, digest).filter(isAlive), withContent(stones, rows, digest));
  return { live: kept.toSorted(compareRows), adopted };
};
