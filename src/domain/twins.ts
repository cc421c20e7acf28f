import { compare } from "./copies.ts";
import type { Sample, Tombstone, TwinKey } from "./sample.ts";

const second = (at: number): number => Math.floor(at / 1000);

/** What the same record sent through two doors has in common (D10). */
export const twinKey = (sample: Sample): TwinKey => [
  sample.metric,
  second(sample.start_at),
  second(sample.end_at),
  sample.source,
  sample.value,
];

type Candidate = { value: number; id: string; sample: Sample | null };
/** Of one key without its value: uuids alive or deleted, synthetic records adopted before, and those still alive. */
type Family = { uuids: Candidate[]; adopted: Candidate[]; records: Candidate[] };

const withoutValue = ([metric, start, end, source]: TwinKey): string => JSON.stringify([metric, start, end, source]);

/** Within 0.1 %: a door may have rounded, or converted there and back. */
const sameValue = (a: number, b: number): boolean => Math.abs(a - b) <= 0.001 * Math.max(Math.abs(a), Math.abs(b));

/** Pairs one to one, both sides ascending by (value, sample_id); answers the pairs and the uuids that are left. */
const pair = (uuids: readonly Candidate[], records: readonly Candidate[]) => {
  const ascending = (a: Candidate, b: Candidate): number => compare(a.value, b.value) || compare(a.id, b.id);
  const [left, right] = [uuids.toSorted(ascending), records.toSorted(ascending)];
  const paired: Candidate[] = [];
  const free: Candidate[] = [];
  let at = 0;
  for (const uuid of left) {
    while (at < right.length && isBelow(right[at] as Candidate, uuid)) at += 1;
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
  const families = new Map<string, Family>();
  const add = (key: TwinKey, role: keyof Family, candidate: Candidate): void => {
    const name = withoutValue(key);
    let family = families.get(name);
    if (family === undefined) families.set(name, (family = { uuids: [], adopted: [], records: [] }));
    family[role].push(candidate);
  };
  const records = samples.filter(isSyntheticRecord);
  if (records.length === 0) return { kept: [...samples], adopted: [] };
  for (const sample of records) add(twinKey(sample), "records", { value: sample.value, id: sample.sample_id, sample });
  for (const sample of samples)
    if (sample.attributes.synthetic !== true)
      add(twinKey(sample), "uuids", { value: sample.value, id: sample.sample_id, sample });
  for (const { sample_id, reason, twin_key } of tombstones)
    if (twin_key !== null)
      add(twin_key, reason === "adopted" ? "adopted" : "uuids", { value: twin_key[4], id: sample_id, sample: null });
  const adopted = [...families.values()].flatMap((family) => {
    if (family.uuids.length === 0 || family.records.length === 0) return [];
    const { free } = pair(family.uuids, family.adopted);
    return pair(free, family.records).paired.flatMap(({ sample }) =>
      sample === null ? [] : [{ sample, twin_key: twinKey(sample) }],
    );
  });
  const gone = new Set(adopted.map(({ sample }) => sample.sample_id));
  return { kept: samples.filter((sample) => !gone.has(sample.sample_id)), adopted };
};
