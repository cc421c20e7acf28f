import { compare } from "../canonical.ts";
import { localDate, MINUTE } from "../local-day.ts";
import { sourceCounts } from "../metric-value.ts";
import type { Sample } from "../sample.ts";
import { sourceKeyOf } from "../source.ts";
import type { InBed } from "./in-bed.ts";
import { isAsleep, newestFirst } from "./segments.ts";
import type { SleepSession } from "./session.ts";
import { spanOf, splitAtGaps } from "./stage-layer.ts";

/** Shorter rests are no night. */
const SHORTEST = 180 * MINUTE;

/** Stands for the source key where the rows of all sources are pooled. */
export const POOLED = "pooled";

/** Nobody slept, so nothing is known of sleep. */
const UNKNOWN = {
  onset_at: null,
  final_wake_at: null,
  total_sleep_s: null,
  deep_s: null,
  rem_s: null,
  light_s: null,
  awake_s: null,
  unspecified_s: null,
  gap_s: null,
  onset_latency_s: null,
  wakeup_count: null,
  efficiency: null,
  hrv_ms: null,
  resting_hr: null,
  avg_hr: null,
  min_hr: null,
  respiratory_rate: null,
  spo2: null,
  spo2_min: null,
  superseded_by: null,
} as const;

/** Of several that end the night, the smallest source's has the zone. */
const bySource = (a: Sample, b: Sample): number => compare(sourceKeyOf(a), sourceKeyOf(b)) || newestFirst(a, b);

/**
 * Nights of which only the time in bed is known (§3.2 step 5, D9): in-bed rows of all sources with gaps of at most 60
 * minutes, at least 180 minutes from first to last, and not one asleep row in between. `inBed` ascending, `stages` all
 * other rows. We do not pretend that bed is sleep.
 */
export const inBedOnly = (
  inBed: readonly InBed[],
  stages: readonly Sample[],
): Omit<SleepSession, "session_id" | "athlete_id">[] => {
  const asleep = stages.filter(({ value }) => isAsleep(value));
  return splitAtGaps(inBed).flatMap((parts) => {
    const { from, to } = spanOf(parts);
    if (to - from < SHORTEST || asleep.some(({ start_at, end_at }) => start_at < to && end_at > from)) return [];
    const rows = parts.flatMap(({ segments }) => segments);
    const [last] = rows.filter(({ end_at }) => end_at === to).toSorted(bySource) as [Sample];
    return [
      {
        ...UNKNOWN,
        date: localDate(to, last.tz),
        source: POOLED,
        kind: "in_bed_only",
        is_main_sleep: false,
        start_at: from,
        end_at: to,
        tz: last.tz,
        time_in_bed_s: (to - from) / 1000,
        provenance: { sources: sourceCounts(rows), winner: POOLED },
      },
    ];
  });
};
