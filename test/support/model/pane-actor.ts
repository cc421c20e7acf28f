import type { Tombstone as Stone } from "../../../src/domain/sample.ts";
import { digest } from "../../../src/flow/digest.ts";
import { rowsHash } from "../../../src/flow/rows-hash.ts";
import { decidePane, type PaneDecision } from "../../../src/windows/decide.ts";
import { nextPane } from "../../../src/windows/due.ts";
import type { PaneDay, PaneFacts } from "../../../src/windows/facts.ts";
import { ATHLETE, GRACE, dirty, next, type Actor, type Store } from "./store.ts";

type Read = { facts: PaneFacts } | { missing: true } | { nothing: true };

const stones = (store: Store): Stone[] =>
  [...store.tombstones].map(([sample_id, { reason, twin_key }]) => ({ sample_id, reason, twin_key }));

/** One snapshot: due days, version, staged rows, pointers with their objects' rows, tombstones, metrics. */
const read = (store: Store): Read => {
  const days: PaneDay[] = [];
  for (const window of store.windows.values()) {
    const pane = nextPane(window, store.now, { grace: GRACE });
    if (pane) days.push({ date: window.local_date, pane, k: window.dirty, topic_partition: 0 });
  }
  if (days.length === 0) return { nothing: true };
  const stored: { pointer: PaneFacts["stored"][number]["pointer"]; rows: PaneFacts["stored"][number]["rows"] }[] = [];
  for (const pointer of store.pointers.values()) {
    const rows = store.objects.get(pointer.object_key);
    if (!rows) return { missing: true };
    stored.push({ pointer, rows });
  }
  const dates = new Set(days.map((d) => d.date));
  const facts: PaneFacts = {
    athlete_id: ATHLETE,
    version: store.version,
    settings: { zones: [], source_order: {} },
    days: days.toSorted((a, b) => (a.date < b.date ? -1 : 1)).slice(0, 8),
    staged: [...store.staging.values()].map(({ rev: _, ...sample }) => sample),
    stored,
    tombstones: store.without === "tombstone" ? [] : stones(store),
    metrics: [...store.metrics.values()].filter((m) => dates.has(m.date)),
    totals: [...store.totals.values()].filter((t) => dates.has(t.date)),
    // Without segments, which the drawn chunks have none of, there are neither sessions nor streams.
    sessions: [],
    streams: [],
    history: [...store.history.values()],
  };
  return { facts };
};

type Written = { key: string; date: string; generation: number; decided: PaneDecision["objects"][number] };

const publish = (store: Store, key: string, value: unknown): void => {
  store.outbox.push({ id: next(store), key, value });
};

const movePointers = (store: Store, decision: PaneDecision, written: readonly Written[]): void => {
  for (const { key, date, generation, decided } of written) {
    const pointer = {
      period_start: date,
      period_end: date,
      level: "day" as const,
      object_key: key,
      rows_hash: decided.rows_hash,
    };
    const row = { ...pointer, generation, revision: next(store) };
    store.pointers.set(date, row);
    publish(store, `day|${date}`, row);
  }
  for (const gone of decision.removed) {
    store.pointers.delete(gone.period_start);
    publish(store, `day|${gone.period_start}`, null);
  }
  const old = [...decision.objects.map((o) => o.replaces), ...decision.removed];
  for (const pointer of old) {
    if (pointer)
      store.intents.set(pointer.object_key, { reason: "superseded", noted_at: store.now, condemned_at: null });
  }
};

export const writeMetrics = (store: Store, decision: Pick<PaneDecision, "metrics">): void => {
  for (const row of decision.metrics.upserts) {
    const key = `${row.date}|${row.metric}|${row.source}`;
    const full = { ...row, revision: next(store) };
    store.metrics.set(key, full);
    publish(store, `metric|${key}`, full);
  }
  for (const row of decision.metrics.deletes) {
    const key = `${row.date}|${row.metric}|${row.source}`;
    store.metrics.delete(key);
    publish(store, `metric|${key}`, null);
  }
};

/** The one transaction; false is StartOver. */
const commit = (store: Store, facts: PaneFacts, decision: PaneDecision, written: readonly Written[]): boolean => {
  if (store.without !== "version" && store.version !== facts.version) return false;
  const intents = written.map((w) => store.intents.get(w.key));
  if (
    store.without !== "intent" &&
    intents.some((i) => i === undefined || i.condemned_at !== null || i.reason !== "writing")
  )
    return false;
  for (const w of written) store.intents.delete(w.key);
  for (const d of decision.dirtied) dirty(store, { ...d, lane: "live", reason: "moved" });
  for (const day of facts.days.filter((d) => d.pane !== "early")) {
    for (const [id, row] of store.staging)
      if (row.local_date === day.date && (row.rev <= day.k || store.without === "rev")) store.staging.delete(id);
  }
  for (const { sample_id } of decision.restaged.beaten) store.staging.delete(sample_id);
  for (const row of decision.restaged.rows)
    store.staging.set(row.sample_id, { ...row, rev: store.windows.get(row.local_date)?.dirty ?? 0 });
  movePointers(store, decision, written);
  writeMetrics(store, decision);
  for (const row of decision.facts.upserts) store.history.set(row.date, row);
  for (const date of decision.facts.deletes) store.history.delete(date);
  for (const { sample_id, twin_key } of decision.seen) {
    const stone = store.tombstones.get(sample_id);
    if (stone) stone.twin_key ??= twin_key;
  }
  for (const { sample_id, twin_key } of decision.adopted) {
    if (!store.tombstones.has(sample_id)) {
      store.tombstones.set(sample_id, { reason: "adopted", twin_key, type: null, resolved: true });
    }
  }
  for (const day of facts.days) {
    const window = store.windows.get(day.date);
    if (!window) continue;
    window.fired = Math.max(window.fired, day.k);
    window.fired_at = store.now;
    if (day.pane !== "early") window.closed_at ??= store.now;
  }
  store.version += 1;
  store.locked += 1;
  return true;
};

/** A worker firing what is due, again and again until nothing is. */
export function* paneActor(store: Store): Actor {
  for (let tries = 0; tries < 50; tries += 1) {
    const seen = read(store);
    if ("nothing" in seen) return;
    if ("missing" in seen) {
      yield "pane.read";
      continue;
    }
    const { facts } = seen;
    yield "pane.read";
    const decision = decidePane(facts, { digest, rowsHash });
    yield "pane.decided";
    const written = decision.objects.map((decided): Written => {
      const generation = next(store);
      return { key: `${decided.period_start}.g${generation}`, date: decided.period_start, generation, decided };
    });
    for (const w of written) store.intents.set(w.key, { reason: "writing", noted_at: store.now, condemned_at: null });
    yield "pane.noted";
    const [first, ...others] = written;
    if (first) store.objects.set(first.key, first.decided.rows);
    yield "pane.put-some";
    for (const w of others) store.objects.set(w.key, w.decided.rows);
    yield "pane.put";
    yield "pane.begun";
    yield "pane.checked";
    yield "pane.staging-emptied";
    yield "pane.restaged";
    yield "pane.pointer-moved";
    yield "pane.sessions";
    yield "pane.streams";
    yield "pane.metrics";
    yield "pane.facts";
    yield "pane.adopted";
    yield "pane.outbox";
    yield "pane.intents-used";
    yield "pane.fired";
    if (commit(store, facts, decision, written)) yield "pane.committed";
    else {
      const noted_at = store.now;
      for (const w of written) store.intents.set(w.key, { reason: "superseded", noted_at, condemned_at: null });
    }
  }
}
