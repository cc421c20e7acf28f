import { DAY, HOUR, offsetAt } from "../local-day.ts";
import type { SessionKind, SleepSession } from "./session.ts";

/** A nap begins in the daytime and holds less sleep than this; a main sleep ends before the day is cut (§3.2 step 7). */
const [NAP_FROM, NAP_TO, NAP_MAX_S, DAY_CUT] = [9 * HOUR, 18 * HOUR, 180 * 60, 18 * HOUR];

/** A winning session whose place in its day is not known yet. */
export type Unplaced = Omit<SleepSession, "kind" | "is_main_sleep"> & {
  onset_at: number;
  final_wake_at: number;
  total_sleep_s: number;
};

/** Time since midnight on the wall of the session's own zone (D24). */
const wallTime = (at: number, tz: string): number => (((at + offsetAt(at, tz)) % DAY) + DAY) % DAY;

const isNap = ({ onset_at, tz, total_sleep_s }: Unplaced): boolean => {
  const onset = wallTime(onset_at, tz);
  return onset >= NAP_FROM && onset < NAP_TO && total_sleep_s < NAP_MAX_S;
};

const endsInTime = ({ final_wake_at, tz }: Unplaced): boolean => wallTime(final_wake_at, tz) <= DAY_CUT;

/** Longest first, the earlier of equals: winners do not overlap, so no two have one onset. */
const longestFirst = (a: Unplaced, b: Unplaced): number => b.total_sleep_s - a.total_sleep_s || a.onset_at - b.onset_at;

const placedInDay = (winners: readonly Unplaced[]): SleepSession[] => {
  const others = winners.filter((session) => !isNap(session)).toSorted(longestFirst);
  const main = others.find(endsInTime) ?? others[0];
  const kindOf = (session: Unplaced): SessionKind => (session === main ? "main" : isNap(session) ? "nap" : "secondary");
  return winners.map((session) => ({ ...session, kind: kindOf(session), is_main_sleep: session === main }));
};

/** Main sleep, naps and the rest of each wake date (§3.2 step 7): of winners only. */
export const withKinds = (winners: readonly Unplaced[]): SleepSession[] =>
  [...Map.groupBy(winners, ({ date }) => date).values()].flatMap(placedInDay);
