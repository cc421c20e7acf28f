import type { Clock, Database, ObjectStore } from "../flow/ports.ts";

export type EraseObjectsDeps = { db: Database; objects: ObjectStore; clock: Clock };
export type Removed = { objects: number; bytes: number };

const PAGE = 500;
/** A pane that read before the erasure has committed or given up by then; one that slept longer starts over. */
const UNDER_WAY_MS = 600_000;

/** Everything of an athlete lies under these: that is what the layout is for (contract §4). */
export const prefixesOf = (athleteId: string): string[] =>
  ["health_streams", "sleep_streams"].map((root) => `${root}/athlete=a_${athleteId}/`);

const UNPOINTED = `not exists (select 1 from health_streams p where p.object_key = k.object_key)
  and not exists (select 1 from sleep_streams p where p.object_key = k.object_key)`;

type Listed = { key: string; bytes: number };

/**
 * Of a listed page, what nothing points to and no writer has announced: nothing can come to point to it either, because
 * a commit needs its intent.
 */
const orphansOf = async (db: Database, page: readonly Listed[]): Promise<Listed[]> => {
  const rows = await db.query<{ object_key: string }>(
    `select k.object_key from unnest($1::text[]) as k(object_key)
     where ${UNPOINTED} and not exists (select 1 from object_intents i where i.object_key = k.object_key)`,
    [page.map(({ key }) => key)],
  );
  const orphans = new Set(rows.map((row) => row.object_key));
  return page.filter(({ key }) => orphans.has(key));
};

async function* pagesOf(objects: ObjectStore, athleteId: string): AsyncGenerator<Listed[]> {
  for (const prefix of prefixesOf(athleteId)) {
    let page: Listed[] = [];
    for await (const object of objects.list(prefix)) {
      page.push(object);
      if (page.length < PAGE) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }
}

export const countObjects = async (objects: ObjectStore, athleteId: string): Promise<Removed> => {
  const found = { objects: 0, bytes: 0 };
  for await (const page of pagesOf(objects, athleteId)) {
    found.objects += page.length;
    for (const { bytes } of page) found.bytes += bytes;
  }
  return found;
};

/** Deletes the athlete's objects that are nobody's, found by listing: whatever Postgres knows of them. */
export const deleteOrphans = async (deps: EraseObjectsDeps, athleteId: string): Promise<Removed> => {
  const removed = { objects: 0, bytes: 0 };
  for await (const page of pagesOf(deps.objects, athleteId)) {
    const orphans = await orphansOf(deps.db, page);
    if (orphans.length === 0) continue;
    await deps.objects.delete(orphans.map(({ key }) => key));
    removed.objects += orphans.length;
    for (const { bytes } of orphans) removed.bytes += bytes;
  }
  return removed;
};

/** Condemned first, like the sweeper's: a writer that comes too late finds its intent condemned and starts over. */
const condemn = async (deps: EraseObjectsDeps, athleteId: string): Promise<void> => {
  const at = new Date(deps.clock.now());
  const rows = await deps.db.query<{ object_key: string }>(
    `update object_intents k set condemned_at = $2 where athlete_id = $1 and noted_at <= $3 and ${UNPOINTED}
     returning object_key`,
    [athleteId, at, new Date(at.getTime() - UNDER_WAY_MS)],
  );
  const keys = rows.map((row) => row.object_key);
  if (keys.length === 0) return;
  await deps.objects.delete(keys);
  await deps.db.query(`delete from object_intents where object_key = any($1::text[]) and condemned_at = $2`, [
    keys,
    at,
  ]);
};

/**
 * What came after an erasure: the object of a pane that was under way, or what an erasure that broke off has left.
 * Of a person who was erased within `lately` ms nothing unused waits for the sweeper's grace period.
 */
export const sweepErased = async (deps: EraseObjectsDeps, lately: number): Promise<void> => {
  const athletes = await deps.db.query<{ athlete_id: string }>(
    `select athlete_id from athletes where erased_before > $1 order by athlete_id`,
    [new Date(deps.clock.now() - lately)],
  );
  for (const { athlete_id } of athletes) {
    await condemn(deps, athlete_id);
    await deleteOrphans(deps, athlete_id);
  }
};
