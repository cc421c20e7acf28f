import { compare } from "./canonical.ts";
import type { Sample, Tombstone, TwinKey } from "./sample.ts";

const second = (at: number): number => Math.floor(at / 1000);

/** What the same record sent through two doors has in common (D10). */
export const twinKey = (sample: Omit<Sample, "sample_id" | "attributes">): TwinKey => [
  sample.metric,
  second(sample.start_at),
  second(sample.end_at),
  sample.source,
  sample.value,
];

type Candidate = { value: number; id: string };
type LiveRecord = Candidate & { sample: Sample };
/** Of one key without its value: uuids alive or deleted, synthetic records adopted before, and those still alive. */
type Family = { uuids: Candidate[]; adopted: Candidate[]; records: LiveRecord[] };

const withoutValue = ([metric, start, end, source]: TwinKey): string => JSON.stringify([metric, start, end, source]);

/** Within 0.1 %: a door may have rounded, or converted there and back. */
const sameValue = (a: number, b: number): boolean => Math.abs(a - b) <= 0.001 * Math.max(Math.abs(a), Math.abs(b));

/** Pairs one to one, both sides ascending by (value, sample_id); answers the pairs and the uuids that are left. */
const pair = <R extends Candidate>(uuids: readonly Candidate[], records: readonly R[]) => {
  const ascending = (a: Candidate, b: Candidate): number => compare(a.value, b.value) || compare(a.id, b.id);
  const [left, right] = [uuids.toSorted(ascending), records.toSorted(ascending)];
  const paired: R[] = [];
  const free: Candidate[] = [];
  let at = 0;
  for (const uuid of left) {
    while (at < right.length && isBelow(right[at] as R, uuid)) at += 1;
    const record = right[at];
    if (record !== undefined && sameValue(record.value, uuid.value)) {
      paired.push(record);
      at += 1;
    } else free.push(uuid);
  }
  return { paired, free };
};

const isBelow = (record: Candidate, uuid: Candidate): boolean =>
  record.value < uuid.value && !sameValue(record.value, uuid.value);

const isSyntheticRecord = ({ attributes }: Sample): boolean =>
  attributes.synthetic === true && attributes.aggregated !== true;

/**
 * Synthetic records that are the same sample as a uuid's (D10), paired one to one. A deleted or superseded uuid still
 * adopts by its twin key. A record that was adopted before holds its place, so that its uuid does not adopt a second.
 */
export const adoptTwins = (samples: readonly Sample[], tombstones: readonly Tombstone[]) => {
  const records = samples.filter(isSyntheticRecord);
  const families = new Map<string, Family>();
  const familyOf = (key: TwinKey): Family => {
    const name = withoutValue(key);
    const family = families.get(name) ?? { uuids: [], adopted: [], records: [] };
    families.set(name, family);
    return family;
  };
  for (const sample of records)
    familyOf(twinKey(sample)).records.push({ value: sample.value, id: sample.sample_id, sample });
  // Most days come through one door: nothing to pair then, and no key to build for every sample.
  if (records.length > 0)
    for (const { attributes, sample_id: id, ...sample } of samples)
      if (attributes.synthetic !== true) familyOf(twinKey(sample)).uuids.push({ value: sample.value, id });
  for (const { sample_id: id, reason, twin_key } of tombstones)
    if (twin_key !== null)
      familyOf(twin_key)[reason === "adopted" ? "adopted" : "uuids"].push({ value: twin_key[4], id });
  const adopted = [...families.values()].flatMap((family) => {
    const { free } = pair(family.uuids, family.adopted);
    return pair(free, family.records).paired.map(({ sample }) => ({ sample, twin_key: twinKey(sample) }));
  });
  const gone = new Set(adopted.map(({ sample }) => sample.sample_id));
  return { kept: samples.filter((sample) => !gone.has(sample.sample_id)), adopted };
};
