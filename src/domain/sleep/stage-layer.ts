import type { Span } from "../interval.ts";
import type { Sample } from "../sample.ts";
import { ownedRuns } from "../timeline.ts";
import { GAP, newestFirst } from "./segments.ts";

/** A part of the night that one segment tells about. */
export type StageRun = Span & { stage: number; segment: Sample };

/** What one source says of its nights, each instant once: ascending runs that do not overlap. */
export type StageLayer = {
  runs: StageRun[];
  /** Rows that say the same as another one: start, end and value. */
  duplicates: Sample[];
  /** Rows that lost time to one that is more to be believed. */
  conflicts: Sample[];
};

const lengthOf = ({ start_at, end_at }: Sample): number => end_at - start_at;

/** Cleans the stages of one source (§3.2 step 3). `segments` have no in-bed rows: they are a layer of their own. */
export const stageLayer = (segments: readonly Sample[]): StageLayer => {
  const seen = new Set<string>();
  const duplicates: Sample[] = [];
  const distinct = segments.toSorted(newestFirst).filter((segment) => {
    const key = `${segment.start_at}|${segment.end_at}|${segment.value}`;
    const isNew = !seen.has(key);
    seen.add(key);
    if (!isNew) duplicates.push(segment);
    return isNew;
  });
  const told = new Map<Sample, number>();
  const runs = ownedRuns(distinct).map(({ from, to, owner }) => {
    const segment = distinct[owner] as Sample;
    told.set(segment, (told.get(segment) ?? 0) + to - from);
    return { from, to, stage: segment.value, segment };
  });
  return { runs, duplicates, conflicts: distinct.filter((segment) => (told.get(segment) ?? 0) < lengthOf(segment)) };
};

/** Cuts ascending spans wherever nothing is known for longer than the gap (§3.2 step 4). */
export const splitAtGaps = <T extends Span>(spans: readonly T[]): [T, ...T[]][] => {
  const groups: [T, ...T[]][] = [];
  let end = -Infinity;
  for (const span of spans) {
    const group = groups.at(-1);
    if (group === undefined || span.from - end > GAP) groups.push([span]);
    else group.push(span);
    end = Math.max(end, span.to);
  }
  return groups;
};

/** What a group of ascending spans covers from first to last. */
export const spanOf = (spans: readonly [Span, ...Span[]]): Span => ({
  from: spans[0].from,
  to: spans.reduce((end, { to }) => Math.max(end, to), -Infinity),
});
