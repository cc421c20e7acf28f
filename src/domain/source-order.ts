import { compare } from "./canonical.ts";
import type { AthleteSettings, DeviceClass, Sample } from "./sample.ts";
import { sourceKeyOf } from "./source.ts";

/** Steps order of D11: ring, bed and other devices rank alike. */
const CLASS_RANK: Record<DeviceClass, number> = { watch: 0, phone: 1, ring: 2, bed: 2, device: 2, app: 3, manual: 4 };

/** The athlete's own order of source keys for a metric, empty where none is set. */
export const sourceOrder = (settings: AthleteSettings, metric: string): readonly string[] => {
  const own = Object.hasOwn(settings.source_order, metric) ? settings.source_order[metric] : undefined;
  return own ?? settings.source_order["*"] ?? [];
};

export type Ranked = { sample: Sample; source_key: string };

type Rank = [aggregated: number, athlete: number, device: number];

const rankOf = ({ sample, source_key }: Ranked, order: ReadonlyMap<string, number>): Rank => [
  sample.attributes.aggregated === true ? 1 : 0,
  order.get(source_key) ?? Number.POSITIVE_INFINITY,
  CLASS_RANK[sample.attributes.device_class ?? "device"],
];

const density = ({ value, start_at, end_at }: Sample): number => value / Math.max(end_at - start_at, 1000);

/** Of one source that overlaps itself (D22): the better one first. */
const compareWithin = (a: Sample, b: Sample): number =>
  compare(b.attributes.sync_version ?? -Infinity, a.attributes.sync_version ?? -Infinity) ||
  compare(b.attributes.created ?? -Infinity, a.attributes.created ?? -Infinity) ||
  compare(density(b), density(a)) ||
  compare(b.sample_id, a.sample_id);

/**
 * Samples in the order in which they win a slice of `steps_merge/1`, best first: samples before aggregates (D21),
 * the athlete's order, then watch, phone, other device, app, user-entered (D11), then the smallest source key, then D22.
 */
export const bySource = (samples: readonly Sample[], order: readonly string[]): Ranked[] => {
  const place = new Map(order.map((key, at) => [key, at] as const).toReversed());
  return samples
    .map((sample) => ({ sample, source_key: sourceKeyOf(sample) }))
    .map((ranked) => ({ ranked, rank: rankOf(ranked, place) }))
    .toSorted(
      (a, b) =>
        compare(a.rank[0], b.rank[0]) ||
        compare(a.rank[1], b.rank[1]) ||
        compare(a.rank[2], b.rank[2]) ||
        compare(a.ranked.source_key, b.ranked.source_key) ||
        compareWithin(a.ranked.sample, b.ranked.sample),
    )
    .map(({ ranked }) => ranked);
};
