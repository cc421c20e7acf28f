import { metricOfKey } from "./catalogue.ts";
import { coveredDays } from "./interval.ts";
import { DAY, HOUR, dayEnd, epochDay, fromEpochDay } from "./local-day.ts";
import type { Instant, LocalDate, Sample } from "./sample.ts";

type Placed = Pick<Sample, "metric" | "start_at" | "end_at" | "tz" | "local_date">;

/** Samples further than this from a day are no input of it (D18). */
const REACH = 36 * HOUR;

/**
 * Dates whose results can read the sample (D18), ascending: those it covers in its zone, with as many days before and
 * after as the catalogue says for its metric. `zones` are further zones that the athlete's samples are in at the time:
 * one timeline is merged over all of them (D13), so its dates there are touched too.
 */
export const touchedDates = (sample: Placed, zones: readonly string[] = []): LocalDate[] => {
  const [before, after] = metricOfKey(sample.metric)?.touches ?? [0, 0];
  const days = new Set<number>();
  for (const zone of new Set([sample.tz, ...zones])) {
    const [first, last] = coveredDays(sample, zone);
    for (let day = first - before; day <= last + after; day += 1) days.add(day);
  }
  return [...days].toSorted((a, b) => a - b).map(fromEpochDay);
};

/** End of the sample's local date in its zone: its window closes no earlier. */
export const nextMidnight = ({ local_date, tz }: Pick<Placed, "local_date" | "tz">): Instant => dayEnd(local_date, tz);

/** Instants that hold every input of a date (D18) whatever the zone: [from, to). */
export const inputSpan = (date: LocalDate): { from: Instant; to: Instant } => {
  const midnight = epochDay(date) * DAY;
  return { from: midnight - 14 * HOUR - REACH, to: midnight + DAY + 12 * HOUR + REACH };
};
