import { coveredDays } from "./interval.ts";
import { dayEnd, dayStart, epochDay, fromEpochDay } from "./local-day.ts";
import type { LocalDate, Sample } from "./sample.ts";

type Placed = Pick<Sample, "start_at" | "end_at" | "tz" | "local_date">;

/** The share of a sample that lies in a date of its own zone, by time (§5.6). An instant lies in its date whole. */
export const shareOf = ({ start_at, end_at, tz, local_date }: Placed, date: LocalDate): number => {
  if (end_at === start_at) return local_date === date ? 1 : 0;
  const [from, to] = [Math.max(start_at, dayStart(date, tz)), Math.min(end_at, dayEnd(date, tz))];
  return Math.max(0, to - from) / (end_at - start_at);
};

/** Whether any of the sample lies in the date. */
export const liesIn = (sample: Placed, date: LocalDate): boolean => {
  if (sample.end_at === sample.start_at) return sample.local_date === date;
  const [first, last] = coveredDays(sample, sample.tz);
  const day = epochDay(date);
  return first <= day && day <= last;
};

/** Plain sums a date, apportioned at midnight (D13). Not rounded. */
export const summedDays = (samples: readonly Sample[]): Map<LocalDate, number> => {
  const days = new Map<LocalDate, number>();
  for (const sample of samples) {
    const [first, last] = coveredDays(sample, sample.tz);
    for (let day = first; day <= last; day += 1) {
      const date = fromEpochDay(day);
      if (liesIn(sample, date)) days.set(date, (days.get(date) ?? 0) + sample.value * shareOf(sample, date));
    }
  }
  return days;
};
