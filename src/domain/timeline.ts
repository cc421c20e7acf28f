import { effectiveEnd } from "./interval.ts";
import type { Instant } from "./sample.ts";

type Interval = { start_at: Instant; end_at: Instant };

/** [from, to) belongs to the interval with this index. */
export type Run = { from: Instant; to: Instant; owner: number };

const at = (array: ArrayLike<number>, index: number): number => array[index] as number;

/**
 * Cuts the time line at every sample's start and end, and answers which of `samples` (best first) owns each part,
 * neighbours with one owner joined, parts without one left out. The best sample paints first and later ones only what
 * is still blank; a blank part is found over `next` in nearly constant time, so the whole costs what sorting costs.
 */
export const ownedRuns = (samples: readonly Interval[]): Run[] => {
  const ends = samples.flatMap((sample) => [sample.start_at, effectiveEnd(sample)]);
  const cuts = [...new Set(ends)].toSorted((a, b) => a - b);
  const indexOf = new Map(cuts.map((cut, index) => [cut, index] as const));
  const next = Uint32Array.from({ length: cuts.length + 1 }, (_, index) => index);
  const owners = new Int32Array(cuts.length).fill(-1);
  const blankFrom = (index: number): number => {
    let end = index;
    while (at(next, end) !== end) end = at(next, end);
    for (let step = index; at(next, step) !== end;) {
      const after = at(next, step);
      next[step] = end;
      step = after;
    }
    return end;
  };
  for (const [owner, sample] of samples.entries()) {
    const last = indexOf.get(effectiveEnd(sample)) as number;
    for (let part = blankFrom(indexOf.get(sample.start_at) as number); part < last; part = blankFrom(part)) {
      owners[part] = owner;
      next[part] = part + 1;
    }
  }
  const runs: Run[] = [];
  for (let part = 0; part + 1 < cuts.length; part += 1) {
    const [from, to, owner] = [at(cuts, part), at(cuts, part + 1), at(owners, part)];
    const before = runs.at(-1);
    if (before !== undefined && before.owner === owner) before.to = to;
    else runs.push({ from, to, owner });
  }
  return runs.filter(({ owner }) => owner >= 0);
};

/** Whether [from, to) meets any of the runs, which are ascending and do not overlap. */
export const meetsAny = (runs: readonly Run[], from: Instant, to: Instant): boolean => {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle] as Run).to <= from) low = middle + 1;
    else high = middle;
  }
  const run = runs[low];
  return run !== undefined && run.from < to;
};
