import type { Instant, LocalDate } from "../sample.ts";

export type SessionKind = "main" | "nap" | "secondary" | "in_bed_only";

/**
 * A sleep session as `sleep_session/1` assembles it (healthkit.md §3, D7–D10, D20): a row of `sleep_sessions` without
 * its score, revision and pane. Durations in seconds, fractions 0–1, count/min, ms. Null means unknown, never zero.
 */
export type SleepSession = {
  session_id: string;
  athlete_id: string;
  /** Local date of the final wake (of the end, in bed only), in `tz`. */
  date: LocalDate;
  /** source_key of the stage layer; `pooled` for in-bed-only nights. */
  source: string;
  kind: SessionKind;
  is_main_sleep: boolean;
  /** Bedtime and rise: the in-bed envelope (D7). */
  start_at: Instant;
  end_at: Instant;
  /** Sleep onset and final wake (D8); null where nobody slept. */
  onset_at: Instant | null;
  final_wake_at: Instant | null;
  tz: string;
  time_in_bed_s: number | null;
  total_sleep_s: number | null;
  deep_s: number | null;
  rem_s: number | null;
  light_s: number | null;
  awake_s: number | null;
  unspecified_s: number | null;
  /** Time between onset and final wake that no sample tells about. */
  gap_s: number | null;
  onset_latency_s: number | null;
  wakeup_count: number | null;
  efficiency: number | null;
  hrv_ms: number | null;
  resting_hr: number | null;
  avg_hr: number | null;
  min_hr: number | null;
  respiratory_rate: number | null;
  spo2: number | null;
  spo2_min: number | null;
  superseded_by: string | null;
  /** For explain: sources, the winner and why, what was set aside. Without arrival stamps. */
  provenance: Record<string, unknown>;
};

/** What is told of a session, in the order of the table: everything but whose it is and how it came about. */
export const SESSION_FIELDS = [
  "session_id",
  "date",
  "source",
  "kind",
  "is_main_sleep",
  "start_at",
  "end_at",
  "onset_at",
  "final_wake_at",
  "tz",
  "time_in_bed_s",
  "total_sleep_s",
  "deep_s",
  "rem_s",
  "light_s",
  "awake_s",
  "unspecified_s",
  "gap_s",
  "onset_latency_s",
  "wakeup_count",
  "efficiency",
  "hrv_ms",
  "resting_hr",
  "avg_hr",
  "min_hr",
  "respiratory_rate",
  "spo2",
  "spo2_min",
  "superseded_by",
] as const satisfies (keyof SleepSession)[];
