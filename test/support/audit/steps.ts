import type { Expected } from "./expected-samples.ts";
import { deviceOf, originKey, type Device } from "./identity.ts";
import { localDateOf, nextDate } from "./local-time.ts";

/**
 * The auditor's own `steps_merge/1` (healthkit.md §5.7, D11, D13, D21, D22): one sweep over an athlete's whole timeline.
 */
const CLASS: Record<Device, number> = { watch: 0, phone: 1, ring: 2, bed: 2, device: 2, app: 3, manual: 4 };
const SECOND = 1000;

type Span = { from: number; to: number; sample: Expected; key: string; rank: readonly [number, number, number] };

const before = (a: Span, b: Span): number => {
  for (let i = 0; i < 3; i += 1) if (a.rank[i] !== b.rank[i]) return (a.rank[i] ?? 0) - (b.rank[i] ?? 0);
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  const density = (s: Span): number => s.sample.value / (s.to - s.from);
  return (
    (b.sample.sync_version ?? -1) - (a.sample.sync_version ?? -1) ||
    (b.sample.created ?? Number.NEGATIVE_INFINITY) - (a.sample.created ?? Number.NEGATIVE_INFINITY) ||
    density(b) - density(a) ||
    (a.sample.sample_id > b.sample.sample_id ? -1 : 1)
  );
};

const spanOf = (sample: Expected, order: readonly string[]): Span => {
  const key = originKey(sample.origin);
  const place = order.indexOf(key);
  return {
    from: sample.start_at,
    to: sample.end_at > sample.start_at ? sample.end_at : sample.start_at + SECOND,
    sample,
    key,
    rank: [
      sample.aggregated ? 1 : 0,
      place < 0 ? Number.MAX_SAFE_INTEGER : place,
      CLASS[deviceOf(sample.origin, sample.user_entered)],
    ],
  };
};

const boundaries = (spans: readonly Span[]): number[] => {
  const cuts = new Set<number>();
  for (const span of spans) {
    cuts.add(span.from).add(span.to);
    for (let cut = nextDate(span.from, span.sample.tz); cut < span.to; cut = nextDate(cut, span.sample.tz))
      cuts.add(cut);
  }
  return [...cuts].toSorted((a, b) => a - b);
};

/** Sums by local date, not yet rounded, of one athlete's live samples of a cumulative type. */
export const mergedSums = (samples: readonly Expected[], order: readonly string[]): Map<string, number> => {
  const spans = samples.map((s) => spanOf(s, order)).toSorted((a, b) => a.from - b.from);
  const cuts = boundaries(spans);
  const totals = new Map<string, number>();
  let active: Span[] = [];
  let next = 0;
  for (const [i, from] of cuts.entries()) {
    const to = cuts[i + 1];
    if (to === undefined) break;
    active = active.filter((s) => s.to > from);
    for (let span = spans[next]; span && span.from <= from; span = spans[next]) {
      active.push(span);
      next += 1;
    }
    const winner = active.toSorted(before)[0];
    if (!winner) continue;
    const date = localDateOf(from, winner.sample.tz);
    const part = (winner.sample.value * (to - from)) / (winner.to - winner.from);
    totals.set(date, (totals.get(date) ?? 0) + part);
  }
  return totals;
};
