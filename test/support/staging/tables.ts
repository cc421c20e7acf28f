import { tombstoneIds } from "../../../src/domain/copies.ts";
import type { Instant, SampleChunk } from "../../../src/domain/sample.ts";
import type { Effects } from "../../../src/flow/effects.ts";
import { digest } from "../../../src/flow/digest.ts";
import { decideStaging } from "../../../src/staging/decide.ts";
import type { AthleteFacts, ChunkInput, DailyRow, Lane, Staged, SyncHolder } from "../../../src/staging/facts.ts";
import { keyOf } from "../../../src/staging/facts.ts";
import { interpretChunks } from "../../../src/staging/interpret.ts";
import type { StagingRows, TombstoneRow, TouchedWindow } from "../../../src/staging/rows.ts";

const byKey = (entries: [string, unknown][]): unknown => entries.toSorted(([a], [b]) => (a < b ? -1 : 1));

const RANK = { deleted: 0, superseded: 1, adopted: 2 };

/** Staging's tables in memory: what `write` would make of rows, without locks. */
export class Tables {
  readonly athletes = new Map<string, AthleteFacts>();
  readonly staged = new Map<string, Staged>();
  readonly tombstones = new Map<string, TombstoneRow>();
  readonly syncs = new Map<string, SyncHolder>();
  readonly totals = new Map<string, DailyRow>();
  readonly windows = new Map<string, TouchedWindow & { dirty: number }>();

  /** Applies chunks as one batch of records; answers what was decided. */
  apply(chunks: readonly SampleChunk[], lane: Lane = "live", now: Instant = 0): Effects<StagingRows> {
    const inputs = chunks.map((chunk, offset): ChunkInput => ({ chunk, lane, record: recordOf(offset) }));
    const interpreted = interpretChunks(inputs, (id) => this.athletes.get(id), digest);
    const tombstones = new Map(
      [...this.tombstones].map(([key, { reason, twin_key }]) => [key, { reason, seen: twin_key !== null }]),
    );
    const { athletes, staged, syncs, totals } = this;
    const effects = decideStaging({ interpreted, athletes, staged, tombstones, syncs, totals }, now, digest);
    this.#write(effects.rows);
    return effects;
  }

  #write(rows: StagingRows): void {
    for (const { athlete_id, new_zones } of rows.athletes) {
      const known = this.athletes.get(athlete_id);
      const { settings = { zones: [], source_order: {} }, erased_before = null, zones_seen = [] } = known ?? {};
      this.athletes.set(athlete_id, { settings, erased_before, zones_seen: [...zones_seen, ...new_zones].toSorted() });
    }
    for (const window of rows.windows) {
      const key = keyOf(window.athlete_id, window.local_date);
      const known = this.windows.get(key);
      const closes_at = Math.max(known?.closes_at ?? 0, window.closes_at);
      this.windows.set(key, { ...window, closes_at, dirty: (known?.dirty ?? 0) + 1 });
    }
    for (const row of rows.removals) {
      if (!this.staged.delete(keyOf(row.athlete_id, row.sample_id))) throw new Error("removes what is not there");
    }
    for (const row of rows.inserts) {
      const key = keyOf(row.athlete_id, row.sample_id);
      const window = this.windows.get(keyOf(row.athlete_id, row.local_date));
      if (this.staged.has(key) || !window) throw new Error(window ? "inserts an id twice" : "its day is not dirty");
      this.staged.set(key, { ...row, rev: window.dirty });
    }
    for (const row of rows.tombstones) this.#bury(row);
    for (const { sync_version, sample_id, ...name } of rows.syncs) {
      const key = JSON.stringify([name.athlete_id, name.bundle_id, name.type, name.sync_id]);
      this.syncs.set(key, { sync_version, sample_id });
    }
    for (const row of rows.daily) this.totals.set(`${row.athlete_id}|${row.date}|${row.metric}`, row);
  }

  #bury(row: TombstoneRow): void {
    const key = keyOf(row.athlete_id, row.sample_id);
    const known = this.tombstones.get(key);
    const reason = known && RANK[known.reason] <= RANK[row.reason] ? known.reason : row.reason;
    const twin_key = known?.twin_key ?? row.twin_key;
    this.tombstones.set(key, { ...row, reason, twin_key, found: (known?.found ?? false) || row.found });
  }

  /** What every reader goes by: rows whose ids are not tombstoned. */
  live(): Staged[] {
    return [...this.staged.values()].filter(
      (row) => !tombstoneIds(row).some((id) => this.tombstones.has(keyOf(row.athlete_id, id))),
    );
  }

  /** The state that must not depend on order, repetition or split (I3): without arrival stamps and counters. */
  state(): unknown {
    return {
      zones: byKey([...this.athletes].map(([key, { zones_seen }]) => [key, zones_seen])),
      live: byKey(this.live().map(({ rev: _, ...row }) => [keyOf(row.athlete_id, row.sample_id), row])),
      tombstones: byKey([...this.tombstones].map(([key, t]) => [key, [t.reason, t.twin_key]])),
      syncs: byKey([...this.syncs]),
      totals: byKey([...this.totals].map(([key, { value, content_hash }]) => [key, [value, content_hash]])),
    };
  }
}

const recordOf = (offset: number): ChunkInput["record"] => ({
  topic: "samples",
  topic_partition: 3,
  offset,
  timestamp: 0,
  key: null,
  value: null,
  headers: { batch_id: "b" },
});
