import { dayEnd } from "../../../src/domain/local-day.ts";
import { twinKey } from "../../../src/domain/merge.ts";
import type { Sample } from "../../../src/domain/sample.ts";
import { touchedDates } from "../../../src/domain/window.ts";
import { SWEEP_GRACE, dirty, type Actor, type Store } from "./store.ts";

/** The relay: opens (which fences older ones), reads, sends in one Kafka transaction, deletes what it sent. */
export function* relayActor(store: Store): Actor {
  yield "relay.claimed";
  store.producer += 1;
  const mine = store.producer;
  for (;;) {
    yield "relay.opened";
    const rows = store.outbox.slice(0, 3);
    yield "relay.read";
    if (rows.length === 0) return;
    yield "relay.encoded";
    if (store.without !== "fence" && store.producer !== mine) return;
    store.topic.push(...rows.map(({ key, value }) => ({ key, value })));
    yield "relay.sent";
    const sent = new Set(rows.map((r) => r.id));
    store.outbox = store.outbox.filter((r) => !sent.has(r.id));
    yield "relay.deleted";
  }
}

const pointed = (store: Store): Set<string> => new Set([...store.pointers.values()].map((p) => p.object_key));

/** Condemns, deletes objects, deletes rows: three separate commits. */
export function* sweepActor(store: Store): Actor {
  const at = store.now;
  const live = pointed(store);
  const keys = [...store.intents]
    .filter(([key, intent]) => intent.noted_at <= at - SWEEP_GRACE && !live.has(key))
    .map(([key]) => key);
  for (const key of keys) Object.assign(store.intents.get(key) ?? {}, { condemned_at: at });
  yield "sweep.condemned";
  for (const key of keys) store.objects.delete(key);
  yield "sweep.deleted";
  for (const key of keys) if (store.intents.get(key)?.condemned_at === at) store.intents.delete(key);
  yield "sweep.done";
}

/** The rare listing: objects that neither a pointer nor an intent names are handed to the sweeper. */
export const listOrphans = (store: Store): void => {
  const live = pointed(store);
  for (const key of store.objects.keys()) {
    if (live.has(key) || store.intents.has(key)) continue;
    store.intents.set(key, { reason: "superseded", noted_at: store.now, condemned_at: null });
  }
};

const settle = (store: Store, found: readonly Sample[]): void => {
  if (found.length === 0) return;
  for (const sample of found) {
    for (const date of touchedDates(sample, store.zones_seen)) {
      dirty(store, { date, closes_at: dayEnd(date, sample.tz), lane: "live", reason: "deletion" });
    }
    store.staging.delete(sample.sample_id);
    const stone = store.tombstones.get(sample.sample_id);
    if (stone) Object.assign(stone, { twin_key: twinKey(sample), resolved: true });
  }
  store.version += 1;
  store.locked += 1;
};

/** Looks for the rows of open deletions: first in staging, then in the objects of its snapshot. */
export function* searchActor(store: Store): Actor {
  const open = new Set([...store.tombstones].filter(([, t]) => !t.resolved).map(([id]) => id));
  const objects = [...pointed(store)].map((key) => store.objects.get(key) ?? []);
  const staged = [...store.staging.values()].filter((row) => open.has(row.sample_id)).map(({ rev: _, ...s }) => s);
  settle(
    store,
    staged.filter((s) => store.staging.has(s.sample_id)),
  );
  yield "deletion.resolved";
  for (const sample of staged) open.delete(sample.sample_id);
  const found = objects.flat().filter((row) => open.has(row.sample_id));
  yield "deletion.searched";
  settle(store, found);
  for (const sample of found) open.delete(sample.sample_id);
  yield "deletion.resolved";
  for (const id of open) Object.assign(store.tombstones.get(id) ?? {}, { resolved: true });
}
