import { liveSamples } from "../../../src/domain/merge.ts";
import type { Sample } from "../../../src/domain/sample.ts";
import { digest } from "../../../src/flow/digest.ts";
import { expectation } from "../audit/expected-live.ts";
import { readLedger } from "../audit/ledger.ts";
import { historyActor, pendingHistory } from "./history-actor.ts";
import { ledgerOf } from "./inputs.ts";
import { listOrphans, relayActor, searchActor, sweepActor } from "./other-actors.ts";
import { paneActor } from "./pane-actor.ts";
import { editActor } from "./edit-actor.ts";
import { replayActor, stagingActor } from "./staging-actor.ts";
import { SWEEP_GRACE, type Actor, type Store } from "./store.ts";

export const KINDS = ["live", "backfill", "pane", "history", "relay", "sweep", "search"] as const;
/** Those that a person starts, and so nothing waits for. */
export type Kind = (typeof KINDS)[number] | "replay" | "edit";

export const spawn = (store: Store, kind: Kind): Actor => {
  if (kind === "replay") return replayActor(store);
  if (kind === "edit") return editActor(store);
  if (kind === "pane") return paneActor(store);
  if (kind === "history") return historyActor(store);
  if (kind === "relay") return relayActor(store);
  if (kind === "sweep") return sweepActor(store);
  if (kind === "search") return searchActor(store);
  return stagingActor(store, kind, 2);
};

const DAYS = 3 * 86_400_000;

/** Runs one after the other until nothing is under way any more: what a restart does after everything has died. */
export const settle = (store: Store, step: (name: string) => void = () => undefined): void => {
  const finish = (kind: Kind): void => {
    for (const name of spawn(store, kind)) step(name);
  };
  store.now += DAYS;
  for (let round = 0; round < 6; round += 1)
    for (const kind of ["live", "backfill", "search", "pane", "history"] as const) finish(kind);
  finish("relay");
  listOrphans(store);
  store.now += SWEEP_GRACE;
  finish("sweep");
};

const rowsInHand = (store: Store): { rows: Sample[]; broken: string[] } => {
  const broken: string[] = [];
  const stored = [...store.pointers.values()].flatMap((p) => {
    const rows = store.objects.get(p.object_key);
    if (!rows) broken.push(`I6: a pointer names ${p.object_key}, which is not there`);
    return rows ?? [];
  });
  return { rows: [...[...store.staging.values()].map(({ rev: _, ...s }) => s), ...stored], broken };
};

const describe = (s: { sample_id: string; value: number; local_date: string }): string =>
  `${s.sample_id} ${s.value} ${s.local_date}`;

/** What the auditor expects of the records that both positions have passed (I1, I2). */
const expectedLive = (store: Store): string[] => {
  const { live, backfill } = store.positions;
  const applied = [...store.logs.live.slice(0, live.position), ...store.logs.backfill.slice(0, backfill.position)];
  const received = new Map(applied.map((c) => [c.batch_id, c.received_at]));
  const expected = expectation(readLedger(ledgerOf(applied)), (_, batch) => received.get(batch ?? "") ?? 0);
  return [...expected.live.values()].map(describe).toSorted();
};

/** Holds at every moment: a reader that merges staging and objects sees exactly what was applied (I1, I2, I8). */
export const brokenNow = (store: Store): string[] => {
  const { rows, broken } = rowsInHand(store);
  const stones = [...store.tombstones].map(([sample_id, t]) => ({ sample_id, reason: t.reason, twin_key: t.twin_key }));
  const seen = liveSamples(rows, stones, digest).live.map(describe).toSorted();
  const expected = expectedLive(store);
  for (const name of expected) if (!seen.includes(name)) broken.push(`I1/I2: lost or changed: ${name}`);
  // While a deletion is still searched for, its content is not known, and so not whose twin it is (D10).
  const searching = [...store.tombstones.values()].some((t) => !t.resolved);
  const open = (name: string): boolean => searching && name.startsWith("1");
  for (const name of seen)
    if (!expected.includes(name) && !open(name)) broken.push(`I2: resurrected or changed: ${name}`);
  return broken;
};

/** Holds when nothing is under way: physically once, topics equal tables, no orphan. */
export const brokenWhenQuiet = (store: Store): string[] => {
  const { rows, broken } = rowsInHand(store);
  const out = [...broken, ...brokenNow(store)];
  const ids = rows.map((r) => r.sample_id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) out.push(`I2: ${id} is stored twice`);
  for (const id of ids) if (store.tombstones.has(id)) out.push(`I2: ${id} is stored, though it is gone`);
  for (const w of store.windows.values()) if (w.dirty > w.fired) out.push(`not quiet: ${w.local_date}`);
  for (const date of pendingHistory(store)) out.push(`not quiet: what ${date} tells later days`);
  const last = new Map(store.topic.map((r) => [r.key, r.value]));
  const tables = new Map<string, unknown>([
    ...[...store.pointers].map(([date, p]) => [`day|${date}`, p] as const),
    ...[...store.metrics].map(([key, m]) => [`metric|${key}`, m] as const),
  ]);
  for (const [key, value] of tables) {
    if (JSON.stringify(last.get(key)) !== JSON.stringify(value)) out.push(`I6: the topic lags the table at ${key}`);
  }
  for (const [key, value] of last) if (value !== null && !tables.has(key)) out.push(`I6: no tombstone for ${key}`);
  const pointed = new Set([...store.pointers.values()].map((p) => p.object_key));
  for (const key of store.objects.keys()) if (!pointed.has(key)) out.push(`I6: ${key} is an orphan`);
  if (store.outbox.length > 0) out.push("I6: the outbox is not empty");
  return out;
};

/** I7: what a person has locked stands as that person left it. */
export const brokenHands = (store: Store): string[] =>
  [...store.hands].flatMap(([key, value]) => {
    const row = store.metrics.get(key);
    return row?.locked && row.value === value ? [] : [`I7: ${key} is ${row?.value}, a person said ${value}`];
  });

/** A locked row as the sync alone would have written it; none where its inputs are gone. */
const unlocked = (row: StoredMetric): StoredMetric[] => {
  if (!row.locked) return [row];
  return row.synced_value === null ? [] : [{ ...row, value: row.synced_value, locked: false, synced_value: null }];
};
type StoredMetric = Store["metrics"] extends Map<string, infer Row> ? Row : never;

/** I3: what must not depend on order, repetition, split or faults. */
export const finalState = (store: Store): string =>
  JSON.stringify({
    positions: [store.positions.live.position, store.positions.backfill.position],
    rows: rowsInHand(store)
      .rows.map(({ received_at: _, ...row }) => row)
      .toSorted((a, b) => (a.sample_id < b.sample_id ? -1 : 1)),
    tombstones: [...store.tombstones].map(([id, t]) => JSON.stringify([id, t.reason, t.twin_key])).toSorted(),
    history: [...store.history.values()].toSorted((a, b) => (a.date < b.date ? -1 : 1)),
    metrics: [...store.metrics.values()]
      .flatMap(unlocked)
      .map(({ revision: _, ...m }) => m)
      .toSorted((a, b) => (`${a.date}${a.metric}${a.source}` < `${b.date}${b.metric}${b.source}` ? -1 : 1)),
  });
