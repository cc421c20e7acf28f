import { compare } from "../canonical.ts";
import { HOUR } from "../local-day.ts";
import type { Sample } from "../sample.ts";

/** Category values of sleep analysis (healthkit.md §2). */
export const [IN_BED, UNSPECIFIED, AWAKE, CORE, DEEP, REM] = [0, 1, 2, 3, 4, 5] as const;

/** Neighbours at most this far apart are one session. */
export const GAP = HOUR;

/** Longer rows are somebody's mistake (§3.2). */
const LONGEST = 24 * HOUR;

export const isAsleep = (stage: number): boolean => stage === UNSPECIFIED || stage >= CORE;

/** Aggregated sleep gives provider totals only (D21); rows without time tell nothing. */
const isSegment = ({ metric, start_at, end_at, attributes }: Sample): boolean =>
  metric === "sleep_analysis" && attributes.aggregated !== true && end_at > start_at;

const isTooLong = ({ start_at, end_at }: Sample): boolean => end_at - start_at > LONGEST;

/** The sleep segments of samples of all metrics, and those set aside because they are too long. */
export const sleepSegments = (samples: readonly Sample[]): { segments: Sample[]; tooLong: Sample[] } => {
  const all = samples.filter(isSegment);
  return { segments: all.filter((one) => !isTooLong(one)), tooLong: all.filter(isTooLong) };
};

/** Core, deep and REM tell most, then awake, then asleep without a stage. */
const detail = ({ value }: Sample): number => (value >= CORE ? 2 : value === AWAKE ? 1 : 0);

/**
 * Segments of one source that say different things of one instant, the one to believe first (§3.2, D12): sync version,
 * then saved last, then stage detail, later start, higher category, larger uuid; of two that begin alike and say the
 * same the longer one, so that no uuid decides how many rows a night is made of.
 */
export const newestFirst = (a: Sample, b: Sample): number =>
  compare(b.attributes.sync_version ?? -Infinity, a.attributes.sync_version ?? -Infinity) ||
  compare(b.attributes.created ?? -Infinity, a.attributes.created ?? -Infinity) ||
  compare(detail(b), detail(a)) ||
  compare(b.start_at, a.start_at) ||
  compare(b.value, a.value) ||
  compare(b.end_at, a.end_at) ||
  compare(b.sample_id, a.sample_id);
