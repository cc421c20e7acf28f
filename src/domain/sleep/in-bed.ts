import type { Span } from "../interval.ts";
import { HOUR } from "../local-day.ts";
import type { Instant, Sample } from "../sample.ts";

/** A maximal interval that somebody's in-bed rows cover without a break, with the rows. */
export type InBed = Span & { segments: Sample[] };

/** Bedtime lies at most this long before the onset, rise this long after the final wake (D7). */
const [BEFORE, AFTER] = [2 * HOUR, HOUR];

const inOrder = (a: Sample, b: Sample): number => a.start_at - b.start_at || a.end_at - b.end_at;

/** In-bed rows of all sources, merged where they overlap or touch; ascending. */
export const mergedInBed = (segments: readonly Sample[]): InBed[] => {
  const merged: InBed[] = [];
  for (const segment of segments.toSorted(inOrder)) {
    const before = merged.at(-1);
    if (before === undefined || segment.start_at > before.to) {
      merged.push({ from: segment.start_at, to: segment.end_at, segments: [segment] });
      continue;
    }
    before.to = Math.max(before.to, segment.end_at);
    before.segments.push(segment);
  }
  return merged;
};

export type Night = {
  /** First to last instant of the session's stage layer. */
  layer: Span;
  onset_at: Instant;
  final_wake_at: Instant;
  /** Where the same source's stage layer ends before this session, and begins again after it. */
  free: Span;
};

export type Envelope = { start_at: Instant; end_at: Instant; parts: InBed[] };

/**
 * Bedtime and rise (D7): the in-bed parts that meet the stage layer, clipped around onset and final wake, and never
 * inside a stage layer, this session's or its neighbours'. Without parts it is the stage layer itself.
 */
export const envelope = ({ layer, onset_at, final_wake_at, free }: Night, inBed: readonly InBed[]): Envelope => {
  const parts = inBed.filter(({ from, to }) => from <= layer.to && to >= layer.from);
  const bedtime = Math.min(...parts.map(({ from }) => from), layer.from);
  const rise = Math.max(...parts.map(({ to }) => to), layer.to);
  return {
    start_at: Math.min(layer.from, Math.max(bedtime, onset_at - BEFORE, free.from)),
    end_at: Math.max(layer.to, Math.min(rise, final_wake_at + AFTER, free.to)),
    parts,
  };
};
