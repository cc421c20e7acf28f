import type { Span } from "../interval.ts";
import type { Instant, Sample } from "../sample.ts";

/** Finds samples by where they stand without looking at all of them: a pane asks for many nights. */
export const placedBy = (samples: readonly Sample[], place: (sample: Sample) => Instant) => {
  const sorted = samples.toSorted((a, b) => place(a) - place(b));
  const first = (isPast: (at: Instant) => boolean): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isPast(place(sorted[middle] as Sample))) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  /** Those that stand in [from, to]. */
  return ({ from, to }: Span): Sample[] =>
    sorted.slice(
      first((at) => at >= from),
      first((at) => at > to),
    );
};
