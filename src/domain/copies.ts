import { canonicalJson, compare, sameJson } from "./canonical.ts";
import { uuid5, NAMESPACE } from "./ids.ts";
import type { Digest, Sample } from "./sample.ts";
import { sourceKeyOf } from "./source.ts";

/** SHA-256, hex, of what a sample says (D6): metric, start ms, end ms, value, unit, source key. */
export const contentHash = (sample: Sample, digest: Digest): string =>
  digest.sha256(
    JSON.stringify([sample.metric, sample.start_at, sample.end_at, sample.value, sample.unit, sourceKeyOf(sample)]),
  );

const OF = "conflict_of:";

/** Without the marks of a renamed copy: copies must sort alike before and after they are renamed. */
const asSent = (sample: Sample): Sample => {
  const { flags = [], ...attributes } = sample.attributes;
  if (!flags.some((flag) => flag.startsWith(OF))) return sample;
  const sent = flags.filter((flag) => flag !== "conflict" && !flag.startsWith(OF));
  return { ...sample, attributes: sent.length === 0 ? attributes : { ...attributes, flags: sent } };
};

const isReplaceable = ({ attributes }: Sample): boolean =>
  attributes.synthetic === true && attributes.aggregated === true;

const version = (sample: Sample): number => sample.attributes.sync_version ?? Number.NEGATIVE_INFINITY;

/** Smallest (received_at, content hash), then whatever still differs: attributes, the zone. */
const compareArrival = (a: Sample, b: Sample, digest: Digest): number => {
  const byArrival = compare(a.received_at, b.received_at);
  if (byArrival !== 0) return byArrival;
  if (sameJson(a, b)) return 0;
  return (
    compare(contentHash(a, digest), contentHash(b, digest)) ||
    compare(a.sample_id, b.sample_id) ||
    compare(canonicalJson(asSent(a)), canonicalJson(asSent(b)))
  );
};

/**
 * Sorts copies of one sample by D6, the winner first: higher sync version; then the earliest received, as HealthKit
 * samples are immutable; of synthetic aggregates the latest received, as a re-sent window replaces. A strict total
 * order: 0 only for samples that are equal in every member, so arrival cannot matter.
 */
export const compareCopies = (a: Sample, b: Sample, digest: Digest): number => {
  const byVersion = compare(version(b), version(a));
  if (byVersion !== 0) return byVersion;
  if (isReplaceable(a) !== isReplaceable(b)) return isReplaceable(a) ? 1 : -1;
  if (isReplaceable(a) && a.received_at !== b.received_at) return b.received_at - a.received_at;
  return compareArrival(a, b, digest);
};

/** Whether `a` replaces `b`: exactly one of two unequal copies does (D6). */
export const beats = (a: Sample, b: Sample, digest: Digest): boolean => compareCopies(a, b, digest) < 0;

/** The id of a copy whose uuid belongs to an earlier sample with another start or end: uuid5(N, "uuid|start|end"). */
export const conflictId = (sample: Sample, digest: Digest): string => {
  const [start, end] = [new Date(sample.start_at).toISOString(), new Date(sample.end_at).toISOString()];
  return uuid5(NAMESPACE, `${sample.sample_id}|${start}|${end}`, digest);
};

/** The uuid under which the sample was sent, where it had to give it up. */
export const conflictOf = (sample: Sample): string | undefined =>
  sample.attributes.flags?.find((flag) => flag.startsWith(OF))?.slice(OF.length);

/** Every id whose tombstone removes this sample: its own, and the one that it was sent under. */
export const tombstoneIds = (sample: Sample): string[] => {
  const original = conflictOf(sample);
  return original === undefined ? [sample.sample_id] : [sample.sample_id, original];
};

const renamed = (sample: Sample, digest: Digest): Sample => {
  const flags = [...(sample.attributes.flags ?? []), "conflict", OF + sample.sample_id];
  return { ...sample, sample_id: conflictId(sample, digest), attributes: { ...sample.attributes, flags } };
};

const isMoment = (a: Sample, b: Sample): boolean => a.start_at === b.start_at && a.end_at === b.end_at;

/** Whether two copies of one id are not the same moment: a client's fault that `resolveCopies` takes apart (D6). */
export const conflicts = (a: Sample, b: Sample): boolean =>
  a.attributes.synthetic !== true && b.attributes.synthetic !== true && !isMoment(a, b);

/**
 * What remains of copies of one sample id: one winner; of a uuid that was used for several moments one winner each,
 * where the earliest received keeps the uuid and the others are renamed and flagged `conflict`.
 */
export const resolveCopies = (copies: readonly Sample[], digest: Digest): Sample[] => {
  if (copies.length === 1) return [...copies];
  const best = (all: readonly Sample[]): Sample[] => all.toSorted((a, b) => compareCopies(a, b, digest)).slice(0, 1);
  const first = copies.toSorted((a, b) => compareArrival(a, b, digest))[0];
  if (first === undefined || !copies.some((copy) => conflicts(first, copy))) return best(copies);
  const moments = Map.groupBy(copies, ({ start_at, end_at }) => `${start_at}|${end_at}`);
  return [...moments.values()].flatMap((same) =>
    best(same).map((winner) => (isMoment(winner, first) ? winner : renamed(winner, digest))),
  );
};
