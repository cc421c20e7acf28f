import type { Instant, LocalDate, Sample, TombstoneReason, TwinKey } from "../domain/sample.ts";
import type { DailyRow, Lane, Staged } from "./facts.ts";

/** A day that the batch changes, and what its window must know. */
export type TouchedWindow = {
  athlete_id: string;
  local_date: LocalDate;
  closes_at: Instant;
  lane: Lane;
  reason: string;
  topic_partition: number;
};

export type TombstoneRow = {
  athlete_id: string;
  sample_id: string;
  reason: TombstoneReason;
  type: string | null;
  twin_key: TwinKey | null;
  deleted_at: Instant;
  /** Its row was found and removed, so no search is needed. */
  found: boolean;
};

export type SyncRow = {
  athlete_id: string;
  bundle_id: string;
  type: string;
  sync_id: string;
  sync_version: number;
  sample_id: string;
  /** The holder that the decision saw; null for none. */
  replaces: string | null;
};

/** Staging's rows, as data: `write` turns them into SQL in one fixed order of locks. */
export type StagingRows = {
  athletes: { athlete_id: string; new_zones: string[] }[];
  windows: TouchedWindow[];
  inserts: Sample[];
  /** Staged copies that go, each only while it still stands under this `rev`. */
  removals: Staged[];
  tombstones: TombstoneRow[];
  syncs: SyncRow[];
  daily: DailyRow[];
  /** Whom to wake, and by which topic partition: also athletes whose only news is a deletion to be searched for. */
  wakes: { athlete_id: string; dates: LocalDate[] }[];
  now: Instant;
};
