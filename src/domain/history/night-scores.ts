import { type DayValue, type Missing, type Series, medianOf, valuesOf } from "./baseline.ts";
import type { DayFacts } from "./facts.ts";
import type { FactsByDay } from "./series-of.ts";
import { type SleepScore, sleepScore } from "./sleep-score.ts";

/** `sleep_score/1` compares an onset with those of the last 13 nights within 21 days, of which it needs 5 (§4.2). */
export const BEDTIME_DAYS = 21;
const [BEDTIME_NIGHTS, MIN_BEDTIME_NIGHTS] = [13, 5];

type MainSleep = NonNullable<DayFacts["main_sleep"]>;

export type NightScore = {
  night: MainSleep;
  bedtime: { deviation: number; median: number; n: number } | Missing;
  /** The onsets that it was compared with. */
  read: readonly DayValue[];
  /** Null where there is none: under an hour of sleep. */
  result: SleepScore | null;
};

const scoreOf = (night: MainSleep, day: number, onsets: Series): NightScore => {
  const read = valuesOf(onsets, day - BEDTIME_DAYS, day - 1).slice(-BEDTIME_NIGHTS);
  const n = read.length;
  if (n < MIN_BEDTIME_NIGHTS) {
    const result = sleepScore({ ...night, bedtime_deviation: null });
    return { night, bedtime: { missing: "too_few_days", n }, read, result };
  }
  const median = medianOf(read);
  const deviation = night.onset_minute - median;
  const result = sleepScore({ ...night, bedtime_deviation: deviation });
  return { night, bedtime: { deviation, median, n }, read, result };
};

/** The score of every night among the facts. */
export const nightScores = (days: FactsByDay, onsets: Series): ReadonlyMap<number, NightScore> => {
  const scores = new Map<number, NightScore>();
  for (const [day, { main_sleep }] of days)
    if (main_sleep !== undefined) scores.set(day, scoreOf(main_sleep, day, onsets));
  return scores;
};

/** The scores as baselines read them: of nights that were measured. */
export const scoreSeries = (scores: ReadonlyMap<number, NightScore>): Series => {
  const series = new Map<number, number>();
  for (const [day, { night, result }] of scores)
    if (result !== null && night.user_entered !== true) series.set(day, result.score);
  return series;
};

/** What `score_components` of a session, and the provenance of the metric, say of a score. */
export const scoreComponents = (
  { night, bedtime }: NightScore,
  { components }: SleepScore,
): Record<string, unknown> => ({
  algo: "sleep_score/1",
  ...components,
  inputs: {
    total_sleep_s: night.total_sleep_s,
    deep_s: night.deep_s,
    rem_s: night.rem_s,
    awake_s: night.awake_s,
    wakeup_count: night.wakeup_count,
    onset_minute: night.onset_minute,
    ...("missing" in bedtime
      ? { bedtime_missing: bedtime.missing, bedtime_nights: bedtime.n }
      : { bedtime_deviation: bedtime.deviation, median_onset_minute: bedtime.median, bedtime_nights: bedtime.n }),
  },
});
