import type { SampleChunk } from "../../../src/domain/sample.ts";
import { digest } from "../../../src/flow/digest.ts";
import { decideStaging } from "../../../src/staging/decide.ts";
import { keyOf, type ChunkInput, type Facts } from "../../../src/staging/facts.ts";
import { interpretChunks } from "../../../src/staging/interpret.ts";
import type { StagingRows } from "../../../src/staging/rows.ts";
import { ATHLETE, dirty, type Actor, type Replay, type Store } from "./store.ts";

type LaneName = "live" | "backfill";
const step = (name: string): string => `staging.${name}`;
const NO_SETTINGS = { zones: [], source_order: {} };
const RANK = { deleted: 0, superseded: 1, adopted: 2 } as const;

const readFacts = (store: Store, chunks: readonly SampleChunk[], lane: LaneName): Facts => {
  const inputs = chunks.map((chunk, offset): ChunkInput => ({
    chunk,
    lane,
    record: { topic: lane, topic_partition: 0, offset, timestamp: store.now, key: null, value: null, headers: {} },
  }));
  const interpreted = interpretChunks(inputs, () => undefined, digest);
  const staged = new Map([...store.staging].map(([id, row]) => [keyOf(ATHLETE, id), row]));
  const tombstones = new Map(
    [...store.tombstones].map(([id, t]) => [keyOf(ATHLETE, id), { reason: t.reason, seen: t.twin_key !== null }]),
  );
  return {
    interpreted,
    athletes: new Map([[ATHLETE, { settings: NO_SETTINGS, erased_before: null, zones_seen: store.zones_seen }]]),
    staged,
    tombstones,
    syncs: new Map(store.syncs),
    totals: new Map(store.totals),
  };
};

const syncName = ({ athlete_id, bundle_id, type, sync_id }: StagingRows["syncs"][number]): string =>
  JSON.stringify([athlete_id, bundle_id, type, sync_id]);

/** A copy to be replaced has moved, or another lane staged the same id: decide again. */
const overtaken = (store: Store, rows: StagingRows): boolean => {
  const removed = new Set(rows.removals.map((r) => r.sample_id));
  return (
    rows.removals.some((r) => store.staging.get(r.sample_id)?.rev !== r.rev) ||
    rows.syncs.some((s) => (store.syncs.get(syncName(s))?.sample_id ?? null) !== s.replaces) ||
    rows.inserts.some((r) => !removed.has(r.sample_id) && store.staging.has(r.sample_id))
  );
};

const bury = (store: Store, row: StagingRows["tombstones"][number]): void => {
  const known = store.tombstones.get(row.sample_id);
  const reason = known && RANK[known.reason] < RANK[row.reason] ? known.reason : row.reason;
  store.tombstones.set(row.sample_id, {
    reason,
    twin_key: row.twin_key ?? known?.twin_key ?? null,
    type: row.type ?? known?.type ?? null,
    resolved: row.found || (known?.resolved ?? false),
  });
};

const apply = (store: Store, rows: StagingRows): void => {
  if (rows.tombstones.length > 0) store.version += 1;
  for (const { new_zones } of rows.athletes) store.zones_seen = [...new Set([...store.zones_seen, ...new_zones])];
  const revs = new Map(
    rows.windows.map((w) => [
      w.local_date,
      dirty(store, { date: w.local_date, closes_at: w.closes_at, lane: w.lane, reason: w.reason }),
    ]),
  );
  for (const row of rows.removals) store.staging.delete(row.sample_id);
  for (const row of rows.inserts) store.staging.set(row.sample_id, { ...row, rev: revs.get(row.local_date) ?? 0 });
  for (const row of rows.tombstones) bury(store, row);
  for (const sync of rows.syncs) {
    store.syncs.set(syncName(sync), { sync_version: sync.sync_version, sample_id: sync.sample_id });
  }
  for (const total of rows.daily) store.totals.set(`${ATHLETE}|${total.date}|${total.metric}`, total);
};

/**
 * A worker that was assigned a topic partition: takes its epoch, applies batch after batch, ends when it is fenced. A
 * replay has a place of its own, and reads no further than where it was to end.
 */
export function* stagingActor(store: Store, lane: LaneName, batch: number, replay?: Replay): Actor {
  const place = replay ?? store.positions[lane];
  const end = (): number => replay?.to ?? store.logs[lane].length;
  place.epoch += 1;
  const mine = place.epoch;
  for (let position = place.position; position < end();) {
    const chunks = store.logs[lane].slice(position, Math.min(position + batch, end()));
    yield step("fetched");
    yield step("decoded");
    yield step("begun");
    // The athlete is locked from here to the commit: whoever came first has committed before these facts are read.
    const locked = store.locked;
    const facts = readFacts(store, chunks, replay ? "backfill" : lane);
    yield step("read");
    const { rows } = decideStaging(facts, store.now, digest);
    yield step("decided");
    yield step("locked");
    yield step("removed");
    yield step("inserted");
    yield step("rows");
    yield step("outbox");
    yield step("position");
    if (store.without !== "epoch" && (place.epoch !== mine || place.position >= position + chunks.length)) return;
    if (store.locked !== locked || overtaken(store, rows)) continue;
    store.locked += 1;
    apply(store, rows);
    position += chunks.length;
    place.position = position;
    yield step("committed");
    yield step("woken");
    yield step("offset");
  }
}

/** Goes on with the replay that was left; otherwise a new one, over what live traffic has applied by now of either log. */
export const replayActor = (store: Store): Actor => {
  const left = store.replay;
  if (left && left.position < left.to) return stagingActor(store, left.lane, 2, left);
  const lane = left?.lane === "live" ? "backfill" : "live";
  store.replay = { lane, position: 0, epoch: 0, to: store.positions[lane].position };
  return stagingActor(store, lane, 2, store.replay);
};
