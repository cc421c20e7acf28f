import { compare, resolveCopies, tombstoneIds } from "./copies.ts";
import type { Digest, Sample, Tombstone, TwinKey } from "./sample.ts";
import { adoptTwins } from "./twins.ts";

export { twinKey } from "./twins.ts";

export type Adoption = { sample: Sample; twin_key: TwinKey };
export type Merged = { live: Sample[]; adopted: Adoption[] };

/** The order of rows in an object: metric, start, end, id. */
export const compareRows = (a: Sample, b: Sample): number =>
  compare(a.metric, b.metric) ||
  compare(a.start_at, b.start_at) ||
  compare(a.end_at, b.end_at) ||
  compare(a.sample_id, b.sample_id);

/** One sample an id. Renamed copies may meet a row that was renamed before, so ids are resolved twice. */
const distinct = (samples: Iterable<Sample>, digest: Digest): Sample[] => {
  const byId = new Map<string, Sample[]>();
  let alone = true;
  for (const sample of samples) {
    const copies = byId.get(sample.sample_id);
    if (copies === undefined) byId.set(sample.sample_id, [sample]);
    else {
      copies.push(sample);
      alone = false;
    }
  }
  const resolve = (copies: Sample[]): Sample[] => (copies.length === 1 ? copies : resolveCopies(copies, digest));
  const resolved = [...byId.values()].flatMap(resolve);
  return alone ? resolved : distinct(resolved, digest);
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
  const isAlive = (sample: Sample): boolean => !tombstoneIds(sample).some((id) => dead.has(id));
  const alive = [...samples].filter(isAlive);
  const { kept, adopted } = adoptTwins(distinct(alive, digest).filter(isAlive), stones);
  return { live: kept.toSorted(compareRows), adopted };
};
