import { toCount } from "../catalogue/definition.ts";

/** A main sleep as `sleep_score/1` reads it. Seconds; null where it is not known. */
export type ScoredNight = {
  total_sleep_s: number;
  deep_s: number | null;
  rem_s: number | null;
  /** WASO, and awakenings of at least 5 minutes. */
  awake_s: number | null;
  wakeup_count: number | null;
  /** Minutes of this onset after the median one of earlier nights; null where these are too few. */
  bedtime_deviation: number | null;
};

export type ScoreComponents = { duration: number; bedtime: number | null; interruptions: number | null };
export type SleepScore = { score: number; components: ScoreComponents };

const MAXIMA = { duration: 50, bedtime: 30, interruptions: 20 } as const;
const MIN_SLEEP_S = 3600;

/** Hours of sleep and their points, linear in between, flat outside. */
const DURATION_POINTS = [
  [2, 0],
  [4, 18],
  [5, 30],
  [6, 38],
  [7, 46],
  [7 + 50 / 60, 50],
] as const;

const clamp01 = (x: number): number => Math.min(1, Math.max(0, x));

const durationPoints = (hours: number): number => {
  let points = 0;
  for (const [at, [from, base]] of DURATION_POINTS.entries()) {
    const [to, most] = DURATION_POINTS[at + 1] ?? [Infinity, base];
    if (hours >= from) points = base + ((most - base) * (hours - from)) / (to - from);
  }
  return points;
};

/** Points lost where a stage is a smaller share of the sleep than it should be; none where stages are not known. */
const stageLoss = (stage_s: number | null, total_s: number, share: number): number =>
  stage_s === null ? 0 : 5 * clamp01((share - stage_s / total_s) / share);

const duration = ({ total_sleep_s, deep_s, rem_s }: ScoredNight): number =>
  Math.max(
    0,
    durationPoints(total_sleep_s / 3600) -
      stageLoss(deep_s, total_sleep_s, 0.1) -
      stageLoss(rem_s, total_sleep_s, 0.15),
  );

/** Late costs all after two hours, early at most 6 points; a quarter of an hour costs nothing. */
const bedtime = (deviation: number): number =>
  deviation >= 0 ? 30 - 30 * clamp01((deviation - 15) / 105) : 30 - Math.min(6, 30 * clamp01((-deviation - 15) / 105));

const interruptions = (awake_s: number, awakenings: number): number =>
  16 * (1 - clamp01((awake_s / 60 - 20) / 70)) + ([4, 4, 3, 2][awakenings] ?? 0);

/**
 * `sleep_score/1` (healthkit.md §4.2): Apple's published weights, not Apple's numbers. 0–100, half up, over the
 * components that are known; null under an hour of sleep.
 */
export const sleepScore = (night: ScoredNight): SleepScore | null => {
  const { total_sleep_s, bedtime_deviation, awake_s, wakeup_count } = night;
  if (total_sleep_s < MIN_SLEEP_S) return null;
  const components: ScoreComponents = {
    duration: duration(night),
    bedtime: bedtime_deviation === null ? null : bedtime(bedtime_deviation),
    interruptions: awake_s === null || wakeup_count === null ? null : interruptions(awake_s, wakeup_count),
  };
  const known = (["duration", "bedtime", "interruptions"] as const).filter((name) => components[name] !== null);
  const points = known.reduce((sum, name) => sum + (components[name] as number), 0);
  const most = known.reduce((sum, name) => sum + MAXIMA[name], 0);
  return { score: toCount((100 * points) / most), components };
};
