import type { SeriesColumns } from "../flow/ports.ts";
import type { Figures } from "./buckets.ts";

/**
 * Figures of `count` buckets of a length, the first of which begins at `base`: what `figuresOf` makes of rows, from
 * values alone, added in the order in which they are given.
 */
export const openFigures = ({ base, length, count }: { base: number; length: number; count: number }) => {
  const [sums, counts] = [new Float64Array(count), new Float64Array(count)];
  const mins = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const maxs = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  return {
    /** Adds what stands in [from, to). */
    add({ at, values }: SeriesColumns, { from, to }: { from: number; to: number }): void {
      for (let n = 0; n < values.length; n += 1) {
        const [place, value] = [at[n] as number, values[n] as number];
        if (place < from || place >= to) continue;
        const bucket = Math.floor((place - base) / length);
        sums[bucket] = (sums[bucket] as number) + value;
        counts[bucket] = (counts[bucket] as number) + 1;
        if (value < (mins[bucket] as number)) mins[bucket] = value;
        if (value > (maxs[bucket] as number)) maxs[bucket] = value;
      }
    },
    /** The buckets that are not empty, ascending, by where they begin. */
    *filled(): Generator<{ at: number } & Figures> {
      for (let n = 0; n < count; n += 1) {
        const inside = counts[n] as number;
        if (inside === 0) continue;
        const [min, max] = [mins[n] as number, maxs[n] as number];
        yield { at: base + n * length, min, mean: (sums[n] as number) / inside, max, count: inside };
      }
    },
  };
};
