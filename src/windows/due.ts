import type { Instant, LocalDate } from "../domain/sample.ts";

/** One firing of a window (contract §1). */
export type Pane = "early" | "on_time" | "late";

/** What a row of `windows` says about when to fire. */
export type WindowRow = {
  athlete_id: string;
  local_date: LocalDate;
  dirty: number;
  fired: number;
  closes_at: Instant;
  closed_at: Instant | null;
  touched_at: Instant;
  fired_at: Instant | null;
  lane: "live" | "backfill";
  topic_partition: number;
  /** First day of the month whose one object holds the day; null where the day has its own, or none. */
  rolled: LocalDate | null;
};

/** Milliseconds, except `backlog_cap`: staged rows of one athlete above which nobody waits for quiet any longer. */
export type DueRules = {
  grace: number;
  early_every: number;
  late_quiet: number;
  backfill_quiet: number;
  backlog_cap: number;
  /** A day of a month that is one object waits longer: what comes late is written once. */
  month_late_quiet: number;
};

/** What an athlete still has under way: it decides when a backfill has come to rest. */
export type Backlog = { newest_touched_at: Instant; staged: number };

/** From when on the day counts as over. */
export const closeMoment = (window: Pick<WindowRow, "closes_at">, rules: Pick<DueRules, "grace">): Instant =>
  window.closes_at + rules.grace;

/** A moment further ahead than this was written under another clock, which must not hold anything up. */
export const MOST_SKEW = 60_000;

const hasPassed = (since: Instant, time: number, now: Instant): boolean =>
  now - since >= time || since - now > MOST_SKEW;

/**
 * Which pane the window's next firing is, or null when there is nothing to fire. A day once closed stays closed:
 * what comes later is late. A day that was over before its first sample came is late from the start.
 */
export const nextPane = (window: WindowRow, now: Instant, rules: Pick<DueRules, "grace">): Pane | null => {
  const dirty = window.dirty > window.fired;
  if (window.closed_at !== null) return dirty ? "late" : null;
  const over = closeMoment(window, rules);
  if (now < over) return dirty ? "early" : null;
  return window.fired_at !== null || window.touched_at < over ? "on_time" : "late";
};

/**
 * The pane that is due now, or null. `applied`: the athlete's topic partitions are applied past the close moment
 * of broker time, or to their end; asked for on-time panes only.
 */
export const duePane = (
  window: WindowRow,
  at: { now: Instant; applied: boolean; backlog: Backlog },
  rules: DueRules,
): Pane | null => {
  const pane = nextPane(window, at.now, rules);
  if (pane === "early") {
    return window.fired_at === null || hasPassed(window.fired_at, rules.early_every, at.now) ? pane : null;
  }
  if (pane === "on_time") return at.applied ? pane : null;
  if (pane === null || at.backlog.staged >= rules.backlog_cap) return pane;
  const quietSince = window.lane === "live" ? window.touched_at : at.backlog.newest_touched_at;
  const quiet = Math.max(
    window.lane === "live" ? rules.late_quiet : rules.backfill_quiet,
    window.rolled === null ? 0 : rules.month_late_quiet,
  );
  return hasPassed(quietSince, quiet, at.now) ? pane : null;
};

export type DueDay = { date: LocalDate; pane: Pane; rolled?: LocalDate | null };

const DAY = 86_400_000;
const MAX_DAYS = 12;
const MAX_GAP = 3 * DAY;

/**
 * Cuts an athlete's due days into jobs: open days first, so that history never delays today, then oldest first.
 * A job holds at most twelve days close to each other, because it reads everything in their span; but all of a month
 * that is one object, which it writes once.
 */
export const jobsOf = (days: readonly DueDay[]): DueDay[][] => {
  const jobs: DueDay[][] = [];
  const sorted = days.toSorted((a, b) => (a.date < b.date ? -1 : 1));
  for (const group of [sorted.filter((d) => d.pane === "early"), sorted.filter((d) => d.pane !== "early")]) {
    let job: DueDay[] = [];
    for (const day of group) {
      const last = job.at(-1);
      const together = last && day.rolled !== undefined && day.rolled !== null && day.rolled === last.rolled;
      if (last && !together && (job.length >= MAX_DAYS || Date.parse(day.date) - Date.parse(last.date) > MAX_GAP)) {
        jobs.push(job);
        job = [];
      }
      job.push(day);
    }
    if (job.length > 0) jobs.push(job);
  }
  return jobs;
};
