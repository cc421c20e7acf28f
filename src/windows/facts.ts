import type { DailyTotal } from "../domain/interpret.ts";
import type { AthleteSettings, LocalDate, Sample, Tombstone } from "../domain/sample.ts";
import type { Clock, Database, ObjectStore, OnStep, ParquetFormat, Telemetry } from "../flow/ports.ts";
import type { MetricRow } from "../flow/metric-rows.ts";
import type { TopicNames } from "../flow/topics.ts";
import type { DueRules, Pane } from "./due.ts";

export type WindowsConfig = DueRules & {
  /** Age at which an unused or superseded object is deleted, ms. */
  sweep_grace: number;
};

export type WindowsDeps = {
  db: Database;
  objects: ObjectStore;
  parquet: ParquetFormat;
  clock: Clock;
  telemetry: Telemetry;
  onStep: OnStep;
  topic: TopicNames;
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
  tombstones: readonly Tombstone[];
  metrics: readonly MetricRow[];
  totals: readonly DailyTotal[];
};
