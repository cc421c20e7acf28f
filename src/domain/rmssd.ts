import { type Refusal, refuse } from "./refusal.ts";

/** One beat of a heartbeat series: seconds since the series began, and whether beats before it were missed. */
type Beat = { at: number; gap: boolean };

/** What a beat-to-beat interval can be at all (§1.1), and what `rmssd/1` reads (§5.2), in seconds. */
const POSSIBLE = [0.27, 2.5] as const;
const READ = [0.3, 2] as const;
const MOST_CHANGE = 0.2;
const FEWEST_PAIRS = 20;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const asFlag = (value: unknown): boolean | null => {
  if (value === true || value === 1) return true;
  return value === false || value === 0 || value === undefined ? false : null;
};

/** `[sinceStart, precededByGap]`, or an object with these names, as HealthKit calls them. */
const readBeat = (value: unknown): Beat | null => {
  if (!isObject(value)) return null;
  const [at, flag] = Array.isArray(value) ? (value as unknown[]) : [value["sinceStart"], value["precededByGap"]];
  const gap = asFlag(flag);
  return typeof at === "number" && Number.isFinite(at) && at >= 0 && gap !== null ? { at, gap } : null;
};

const malformed = (detail: string): Refusal => refuse("bad_value", "metadata", detail);

const readBeats = (value: unknown): Beat[] | Refusal => {
  if (!Array.isArray(value))
    return malformed("metadata.beats must be a list of [seconds since the start, preceded by a gap]");
  const beats: Beat[] = [];
  for (const [index, one] of value.entries()) {
    const beat = readBeat(one);
    if (beat === null) return malformed(`metadata.beats[${index}] must be [seconds since the start, true or false]`);
    if (beat.at <= (beats.at(-1)?.at ?? -1))
      return malformed(`metadata.beats[${index}] must come after the one before`);
    beats.push(beat);
  }
  return beats;
};

/** Intervals between neighbours in seconds; null where beats were missed. */
const intervals = (beats: readonly Beat[]): (number | null)[] =>
  beats.slice(1).map(({ at, gap }, index) => (gap ? null : at - (beats[index] as Beat).at));

const isRead = (rr: number | null | undefined): rr is number =>
  typeof rr === "number" && rr >= READ[0] && rr <= READ[1];

/**
 * `rmssd/1` (healthkit.md §5.2): root mean square of successive differences in ms, from beats. Read are pairs of
 * neighbouring intervals of 0.3 to 2.0 s, none across a gap, that differ by at most 20 % of the first; there must be
 * 20. An interval outside 0.27 to 2.5 s is no heartbeat: the series is refused.
 */
export const rmssd = (sent: unknown): { value: number } | Refusal => {
  const beats = readBeats(sent);
  if ("kind" in beats) return beats;
  const between = intervals(beats);
  if (between.some((rr) => rr !== null && (rr < POSSIBLE[0] || rr > POSSIBLE[1])))
    return refuse("out_of_range", "metadata", "metadata.beats must be 0.27 to 2.5 s apart where there is no gap");
  const squares = between.flatMap((first, index) => {
    const second = between[index + 1];
    if (!isRead(first) || !isRead(second)) return [];
    return Math.abs(second - first) > MOST_CHANGE * first ? [] : [(second - first) ** 2];
  });
  if (squares.length < FEWEST_PAIRS)
    return malformed(
      `metadata.beats must hold ${FEWEST_PAIRS} pairs of plausible neighbours; there are ${squares.length}`,
    );
  return { value: Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length) * 1000 };
};
