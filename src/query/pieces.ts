import { addDays, DAY, HOUR } from "../domain/local-day.ts";
import type { Instant, LocalDate, Sample } from "../domain/sample.ts";
import { withoutShadowedAggregates } from "./buckets.ts";

type Range = { from: Instant; to: Instant };
type Dates = { first: LocalDate; last: LocalDate };

const PIECE_DAYS = 28;
/** Samples of one local date start no further apart than this, whatever their zones. */
const DATE_SPREAD = 2 * DAY + 2 * HOUR;

/** Consecutive dates, so few at a time that their samples fit into memory. */
export function* datePieces({ first, last }: Dates): Generator<Dates> {
  for (let start = first; start <= last; start = addDays(start, PIECE_DAYS)) {
    const end = addDays(start, PIECE_DAYS - 1);
    yield { first: start, last: end < last ? end : last };
  }
}

/** Consecutive parts of a range, cut where buckets of this length begin. */
export function* bucketPieces({ from, to }: Range, length: number): Generator<Range> {
  for (let start = from; start < to;) {
    const end = Math.min(to, Math.floor((start + PIECE_DAYS * DAY) / length) * length);
    yield { from: start, to: end };
    start = end;
  }
}

/** A piece with as much of the range around it as tells whether its dates have samples or aggregates only (D21). */
export const withMargin = (piece: Range, range: Range): Range => ({
  from: Math.max(range.from, piece.from - DATE_SPREAD),
  to: Math.min(range.to, piece.to + DATE_SPREAD),
});

/** The samples of a piece, of all those in the range around it: ascending by start, as they are given. */
export const startingIn = (live: readonly Sample[], piece: Range, around: Range): readonly Sample[] =>
  withoutShadowedAggregates(live.filter((sample) => sample.start_at >= around.from)).filter(
    (sample) => sample.start_at >= piece.from && sample.start_at < piece.to,
  );

const FIRST_SLICE = DAY;
const LONGEST_SLICE = PIECE_DAYS * DAY;
/** Samples a slice should hold: few enough for memory, enough that asking for them is not the most of the work. */
const SLICE_SAMPLES = 20_000;

/** How much of the time line is read next, by how many samples the slice before held: the first is short, to answer soon. */
export const nextSlice = (before: { length: number; samples: number } | null): number => {
  if (before === null) return FIRST_SLICE;
  const factor = SLICE_SAMPLES / Math.max(before.samples, 1);
  return Math.min(LONGEST_SLICE, Math.max(HOUR, Math.round(before.length * Math.min(4, Math.max(0.25, factor)))));
};
