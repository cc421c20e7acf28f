import type { AthleteSettings, Instant, LocalDate, Sample, SampleChunk, TombstoneReason } from "../domain/sample.ts";
import type { RawRecord } from "../flow/ports.ts";

/** A chunk as it came off its topic. `lane` is backfill for health.backfill.v1. */
export type ChunkInput = { record: RawRecord; chunk: SampleChunk; lane: Lane };
export type Lane = "live" | "backfill";

/** A copy of a sample that stands in staging, with the window number it was written under. */
export type Staged = Sample & { rev: number };
export type KnownTombstone = { reason: TombstoneReason; seen: boolean };
export type SyncHolder = { sync_version: number; sample_id: string };
export type AthleteFacts = { settings: AthleteSettings; erased_before: Instant | null; zones_seen: readonly string[] };

/** One sample that passed every check, with where it came from. */
export type Accepted = { sample: Sample; lane: Lane; topic_partition: number };
export type Refused = {
  record: RawRecord;
  athlete_id: string;
  index: number;
  payload: Uint8Array;
  content_type: string;
  reason: string;
  path: string;
  detail: string;
};

export type DailyRow = {
  athlete_id: string;
  batch_id: string;
  date: LocalDate;
  metric: string;
  value: number;
  unit: string;
  value_received: number;
  unit_received: string;
  received_at: Instant;
  content_hash: string;
  lane: Lane;
  topic_partition: number;
};

export type Deletion = {
  athlete_id: string;
  sample_id: string;
  type: string | null;
  deleted_at: Instant;
  lane: Lane;
  topic_partition: number;
};

/** A batch of chunks after interpretation: pure, before anything stored is looked at. */
export type Interpreted = {
  accepted: Accepted[];
  refused: Refused[];
  deletions: Deletion[];
  daily: DailyRow[];
  tally: Record<string, number>;
};

/** What `decide` needs to know, read in the transaction that commits. Keys are `athlete|id`. */
export type Facts = {
  interpreted: Interpreted;
  athletes: ReadonlyMap<string, AthleteFacts>;
  staged: ReadonlyMap<string, Staged>;
  tombstones: ReadonlyMap<string, KnownTombstone>;
  syncs: ReadonlyMap<string, SyncHolder>;
  /** Stored totals, by `athlete|date|metric`. */
  totals: ReadonlyMap<string, { received_at: Instant; content_hash: string }>;
};

/** A total that counts as received at its batch's first application (contract §3) can be older than its chunk. */
export const isErased = (of: { athlete_id: string; received_at: Instant }, facts: Facts): boolean => {
  const erasedBefore = facts.athletes.get(of.athlete_id)?.erased_before ?? null;
  return erasedBefore !== null && of.received_at <= erasedBefore;
};

export const keyOf = (athleteId: string, id: string): string => `${athleteId}|${id}`;
export const syncKey = (sample: Sample): string | null => {
  const { sync_id, bundle_id, type, sync_version } = sample.attributes;
  if (sync_id === undefined || sync_version === undefined) return null;
  return JSON.stringify([sample.athlete_id, bundle_id ?? "", type ?? "", sync_id]);
};
