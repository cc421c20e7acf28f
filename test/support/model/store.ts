import type { Sample, SampleChunk, TombstoneReason, TwinKey } from "../../../src/domain/sample.ts";
import type { DailyRow, Staged, SyncHolder } from "../../../src/staging/facts.ts";
import type { WindowRow } from "../../../src/windows/due.ts";
import type { MetricRow } from "../../../src/flow/metric-rows.ts";
import type { FactsRow, Pointer } from "../../../src/windows/facts.ts";

/**
 * One athlete's world in memory: two logs (live and backfill), the database, the object store and one compacted topic.
 * Actors (generators) move through the exported steps of the commit orders; what stands between two steps is atomic.
 */
export type Tombstone = {
  reason: TombstoneReason;
  twin_key: TwinKey | null;
  type: string | null;
  resolved: boolean;
};
export type Intent = { reason: "writing" | "superseded"; noted_at: number; condemned_at: number | null };
export type Event = { id: number; key: string; value: unknown };

/** The checks that make the protocol safe. The model can be run without one of them, to see that it notices. */
export const GUARDS = ["epoch", "version", "intent", "rev", "fence", "tombstone"] as const;
export type Guard = (typeof GUARDS)[number];

/** A second reader of a log, with a position of its own and an end fixed at its start. */
export type Replay = { lane: "live" | "backfill"; position: number; epoch: number; to: number };

export type Store = {
  without: Guard | null;
  now: number;
  logs: { live: SampleChunk[]; backfill: SampleChunk[] };
  positions: { live: { position: number; epoch: number }; backfill: { position: number; epoch: number } };
  replay: Replay | null;
  /** What a person's hand has locked, by the metric's key. */
  hands: Map<string, number>;
  version: number;
  /** Commits under the athlete's lock so far. */
  locked: number;
  zones_seen: string[];
  staging: Map<string, Staged>;
  tombstones: Map<string, Tombstone>;
  syncs: Map<string, SyncHolder>;
  totals: Map<string, DailyRow>;
  windows: Map<string, WindowRow>;
  pointers: Map<string, Pointer & { generation: number; revision: number }>;
  objects: Map<string, readonly Sample[]>;
  intents: Map<string, Intent>;
  metrics: Map<string, MetricRow & { revision: number }>;
  /** Rows of day_facts. */
  history: Map<string, FactsRow>;
  outbox: Event[];
  /** What consumers of the compacted topic would read. */
  topic: { key: string; value: unknown }[];
  /** The newest producer of the outbox's transactional id: older ones are fenced by the broker. */
  producer: number;
  sequence: number;
};

export const ATHLETE = "a";
export const GRACE = 4 * 3_600_000;
export const SWEEP_GRACE = 1000;

export const emptyStore = (now: number, logs: Store["logs"], without: Guard | null = null): Store => ({
  without,
  now,
  logs,
  positions: { live: { position: 0, epoch: 0 }, backfill: { position: 0, epoch: 0 } },
  replay: null,
  hands: new Map(),
  version: 0,
  locked: 0,
  zones_seen: [],
  staging: new Map(),
  tombstones: new Map(),
  syncs: new Map(),
  totals: new Map(),
  windows: new Map(),
  pointers: new Map(),
  objects: new Map(),
  intents: new Map(),
  metrics: new Map(),
  history: new Map(),
  outbox: [],
  topic: [],
  producer: 0,
  sequence: 0,
});

export const next = (store: Store): number => {
  store.sequence += 1;
  return store.sequence;
};

/** Where an actor stands: it can be killed or left asleep at every one of these. */
export type Actor = Generator<string, void>;

export type Touch = { date: string; closes_at: number; lane: "live" | "backfill"; reason: string };

/** `dirty + 1`, as staging and panes do it to windows that they change. Answers the new number. */
export const dirty = (store: Store, touch: Touch): number => {
  const known = store.windows.get(touch.date);
  const row: WindowRow = {
    athlete_id: ATHLETE,
    local_date: touch.date,
    dirty: (known?.dirty ?? 0) + 1,
    fired: known?.fired ?? 0,
    closes_at: Math.max(known?.closes_at ?? 0, touch.closes_at),
    closed_at: known?.closed_at ?? null,
    touched_at: store.now,
    fired_at: known?.fired_at ?? null,
    lane: touch.lane,
    topic_partition: 0,
    rolled: null,
  };
  store.windows.set(touch.date, row);
  return row.dirty;
};
