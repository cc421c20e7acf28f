import type { Span } from "../interval.ts";
import { DAY, HOUR, epochDay } from "../local-day.ts";
import type { LocalDate, Sample } from "../sample.ts";
import { GAP, sleepSegments } from "./segments.ts";
import { spanOf, splitAtGaps } from "./stage-layer.ts";

/** The instants at which a session of these dates can wake, whatever its zone. */
export const wakingSpan = (first: LocalDate, last: LocalDate): Span => ({
  from: epochDay(first) * DAY - 14 * HOUR,
  to: epochDay(last) * DAY + DAY + 12 * HOUR,
});

/**
 * Whether sessions that wake within `wanted` (`wakingSpan`) may go on beyond what was read (D18: sleep reaches to the next gap of over
 * 60 minutes). `samples` are all live ones that overlap `read`, which holds `wanted`, ends included. Answers the span to
 * read instead, and to ask about again, since more may come to light; null where this one is wide enough. A night over
 * the edge that has no link with `wanted` is none of its business, so that a pane seldom reads twice.
 */
export const needsWider = (samples: readonly Sample[], read: Span, wanted: Span): Span | null => {
  const spans = sleepSegments(samples)
    .segments.map(({ start_at, end_at }) => ({ from: start_at, to: end_at }))
    .toSorted((a, b) => a.from - b.from);
  const linked = splitAtGaps(spans)
    .map(spanOf)
    .filter(({ from, to }) => from <= wanted.to && to >= wanted.from);
  const from = Math.min(read.from, ...linked.map((span) => span.from - GAP - 1));
  const to = Math.max(read.to, ...linked.map((span) => span.to + GAP + 1));
  return from < read.from || to > read.to ? { from, to } : null;
};
