import { localEpochDay } from "./local-day.ts";
import type { Instant, Sample } from "./sample.ts";

type Interval = Pick<Sample, "start_at" | "end_at">;

export type Span = { from: Instant; to: Instant };

/** A sample's end as rules read it: an instant lasts a second (§5.7), and an interval ends before its end. */
export const effectiveEnd = ({ start_at, end_at }: Interval): Instant => (end_at > start_at ? end_at : start_at + 1000);

/** Where a sample stands when it is asked what a night held (D20). */
export const midpoint = ({ start_at, end_at }: Interval): Instant => (start_at + end_at) / 2;

/** First and last local date (days since the epoch) that a sample covers in a zone. */
export const coveredDays = (sample: Interval, zone: string): [first: number, last: number] => [
  localEpochDay(sample.start_at, zone),
  localEpochDay(effectiveEnd(sample) - 1, zone),
];
