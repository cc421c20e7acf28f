import { clamp, halfUp, median } from "./figures.ts";
import { clockOf, dateText } from "./local-time.ts";
import type { Night } from "./nights.ts";

/** The auditor's own `sleep_score/1` (healthkit.md §4.2, D24). */
const HOUR = 3600;
const G: readonly (readonly [hours: number, points: number])[] = [
  [2, 0],
  [4, 18],
  [5, 30],
  [6, 38],
  [7, 46],
  [7 + 50 / 60, 50],
];
const clamp01 = (x: number): number => clamp(x, 0, 1);

const durationPoints = (hours: number): number => {
  const above = G.findIndex(([h]) => h >= hours);
  if (above === 0) return 0;
  const [low, high] = [G[above - 1], G[above]];
  if (!low || !high) return 50;
  return low[1] + ((high[1] - low[1]) * (hours - low[0])) / (high[0] - low[0]);
};

const lacking = (part: number | null, whole: number, share: number): number =>
  part === null ? 0 : 5 * clamp01((share - part / whole) / share);

/** Minutes since the noon before, on the wall clock of the session's own zone. */
export const onsetMinutes = (night: Night): number =>
  (clockOf(night.onset_at ?? 0, night.tz) / 60_000 + 12 * 60) % (24 * 60);

const bedtime = (night: Night, mains: ReadonlyMap<string, Night>): number | null => {
  const day = Date.parse(night.date) / 86_400_000;
  const earlier: number[] = [];
  for (let back = 1; back <= 21 && earlier.length < 13; back += 1) {
    const before = mains.get(dateText(day - back));
    if (before) earlier.push(onsetMinutes(before));
  }
  if (earlier.length < 5) return null;
  const late = onsetMinutes(night) - median(earlier);
  if (late >= 0) return 30 - 30 * clamp01((late - 15) / 105);
  return 30 - Math.min(6, 30 * clamp01((-late - 15) / 105));
};

export type Score = { score: number; duration: number; bedtime: number | null; interruptions: number | null };

/** Null below an hour of sleep. `mains`: the main sleep of each date. */
export const sleepScore = (night: Night, mains: ReadonlyMap<string, Night>): Score | null => {
  const slept = night.total_sleep_s ?? 0;
  if (slept < HOUR) return null;
  const deficit = lacking(night.deep_s, slept, 0.1) + lacking(night.rem_s, slept, 0.15);
  const duration = Math.max(0, durationPoints(slept / HOUR) - deficit);
  const wakes = [4, 4, 3, 2][night.wakeup_count ?? 0] ?? 0;
  const interruptions = night.awake_s === null ? null : 16 * (1 - clamp01((night.awake_s / 60 - 20) / 70)) + wakes;
  const parts = { duration, bedtime: bedtime(night, mains), interruptions };
  const known = [
    [parts.duration, 50],
    [parts.bedtime, 30],
    [parts.interruptions, 20],
  ].filter((p): p is [number, number] => p[0] !== null);
  const most = known.reduce((sum, [, max]) => sum + max, 0);
  return { score: halfUp((100 * known.reduce((sum, [points]) => sum + points, 0)) / most), ...parts };
};
