import type { DayFacts } from "../domain/history/facts.ts";
import type { Rules } from "../domain/history/rules.ts";
import type { DailyTotal } from "../domain/interpret.ts";
import type { AthleteSettings, LocalDate, Sample, Tombstone } from "../domain/sample.ts";
import type { SleepSession } from "../domain/sleep/session.ts";
import type { Clock, Database, ObjectStore, OnStep, ParquetFormat, Telemetry } from "../flow/ports.ts";
import type { MetricRow } from "../flow/metric-rows.ts";
import type { TopicNames } from "../flow/topics.ts";
import type { DueRules, Pane } from "./due.ts";

export type WindowsConfig = DueRules & {
  /** Age at which an unused or superseded object is deleted, ms. */
  sweep_grace: number;
  /** How long nothing may have changed in a month before it becomes one object, ms. */
  month_quiet: number;
};

export type WindowsDeps = {
  db: Database;
  objects: ObjectStore;
  parquet: ParquetFormat;
  clock: Clock;
  telemetry: Telemetry;
  onStep: OnStep;
  topic: TopicNames;
  /** Which versions of rules are in force; absent: the current ones. */
  rules?: Rules | undefined;
  config: WindowsConfig;
};

/** A pointer row of health_streams, as far as a pane needs it. */
export type Pointer = {
  period_start: LocalDate;
  period_end: LocalDate;
  level: "day" | "month";
  object_key: string;
  rows_hash: string;
};

/** A pointer row of sleep_streams, as far as a pane needs it. */
export type StreamPointer = { session_id: string; object_key: string; rows_hash: string };

/** What `sleep_score/1` says of a session; all null where it says nothing. */
export type SessionScore = {
  sleep_score: number | null;
  score_components: Record<string, unknown> | null;
  score_method: string | null;
};

/** A row of sleep_sessions, without revision and updated_at. */
export type SessionRow = SleepSession & SessionScore & { is_final: boolean };

/** A row of day_facts. Without facts: the day had some once, and later days have yet to be computed without them. */
export type FactsRow = { date: LocalDate; facts: DayFacts | null; hash: string; passed_hash: string | null };

/** A day that fires in this pane: `k` is the `dirty` that its results will stand for. */
export type PaneDay = { date: LocalDate; pane: Pane; k: number; topic_partition: number };

/** Everything a pane decides on, from one snapshot of the database and the immutable objects it names. */
export type PaneFacts = {
  athlete_id: string;
  /** 0 when the athlete has no row yet. */
  version: number;
  settings: AthleteSettings;
  days: readonly PaneDay[];
  staged: readonly Sample[];
  stored: readonly { pointer: Pointer; rows: readonly Sample[] }[];
  /** Dates that are recomputed: their rows are read again as they were sent (`reinterpret`). Absent: none. */
  reread?: ReadonlySet<LocalDate>;
  tombstones: readonly Tombstone[];
  metrics: readonly MetricRow[];
  totals: readonly DailyTotal[];
  /** Sessions of these dates and their neighbours, and their streams. */
  sessions: readonly SessionRow[];
  streams: readonly StreamPointer[];
  /** Versions of rules in force; absent: the current ones. */
  rules?: Rules | undefined;
  /** Facts of every date that these dates read, and of those that read them. */
  history: readonly FactsRow[];
};
