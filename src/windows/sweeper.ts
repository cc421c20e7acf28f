import type { Clock, Database, ObjectStore, OnStep } from "../flow/ports.ts";

/** Announced through OnStep, once a batch. */
export const SWEEP_STEPS = ["sweep.condemned", "sweep.deleted", "sweep.done"] as const;

export type SweepDeps = {
  db: Database;
  objects: ObjectStore;
  clock: Clock;
  onStep: OnStep;
  /** `sweep_grace` in ms. */
  config: { sweep_grace: number };
};

const BATCH = 200;

/** Objects that pointer rows name, whatever the intents say, are never condemned. */
const UNPOINTED = (key: string): string =>
  `not exists (select 1 from health_streams p where p.object_key = ${key})
   and not exists (select 1 from sleep_streams p where p.object_key = ${key})`;

const condemn = async (deps: SweepDeps, at: Date): Promise<string[]> => {
  const rows = await deps.db.query<{ object_key: string }>(
    `update object_intents set condemned_at = $1 where object_key in (
       select object_key from object_intents i where noted_at <= $2 and ${UNPOINTED("i.object_key")}
       order by noted_at limit $3 for update skip locked)
     returning object_key`,
    [at, new Date(at.getTime() - deps.config.sweep_grace), BATCH],
  );
  return rows.map((row) => row.object_key);
};

/**
 * Deletes objects whose intent or supersession is older than the grace period: condemns them (committed), deletes the
 * objects, then the rows. A writer that comes too late finds its intent condemned or gone and starts over. A crash
 * between the steps leaves condemned rows, which the next sweep takes up again. Answers how many keys it deleted.
 */
export const sweep = async (deps: SweepDeps): Promise<number> => {
  let swept = 0;
  for (;;) {
    const at = new Date(deps.clock.now());
    const keys = await condemn(deps, at);
    if (keys.length === 0) return swept;
    await deps.onStep("sweep.condemned");
    await deps.objects.delete(keys);
    await deps.onStep("sweep.deleted");
    // A row noted anew meanwhile (see `disown`) is not ours to delete.
    await deps.db.query(`delete from object_intents where object_key = any($1::text[]) and condemned_at = $2`, [
      keys,
      at,
    ]);
    await deps.onStep("sweep.done");
    swept += keys.length;
  }
};

/**
 * Hands objects of an abandoned attempt to the sweeper. A writer that slept may have PUT after its intent was swept:
 * noting the key anew is what gets such an orphan deleted.
 */
export const disown = async (
  deps: Pick<SweepDeps, "db" | "clock">,
  athleteId: string,
  keys: readonly string[],
): Promise<void> => {
  if (keys.length === 0) return;
  await deps.db.query(
    `insert into object_intents (object_key, athlete_id, reason, noted_at)
     select key, $2, 'superseded', $3 from unnest($1::text[]) as t(key)
     on conflict (object_key) do update set reason = 'superseded', noted_at = excluded.noted_at, condemned_at = null`,
    [keys, athleteId, new Date(deps.clock.now())],
  );
};

const ATHLETE_IN_KEY = /\/athlete=a_([^/]+)\//;
const PAGE = 500;

const noteOrphans = async (deps: SweepDeps, page: readonly { key: string; modified_at: number }[]): Promise<number> => {
  const rows = await deps.db.query(
    `insert into object_intents (object_key, athlete_id, reason, noted_at)
     select key, athlete_id, 'superseded', modified_at
     from unnest($1::text[], $2::text[], $3::timestamptz[]) as t(key, athlete_id, modified_at)
     where ${UNPOINTED("t.key")}
     on conflict do nothing returning 1`,
    [
      page.map((object) => object.key),
      page.map((object) => ATHLETE_IN_KEY.exec(object.key)?.[1] ?? ""),
      page.map((object) => new Date(object.modified_at)),
    ],
  );
  return rows.length;
};

/**
 * Lists the bucket for objects older than the grace period that have neither pointer nor intent, and notes them for
 * the next sweep. Rare: it costs a listing of everything. Answers how many it found.
 */
export const noteUnknownObjects = async (deps: SweepDeps): Promise<number> => {
  let found = 0;
  const oldest = deps.clock.now() - deps.config.sweep_grace;
  for (const prefix of ["health_streams/", "sleep_streams/"]) {
    let page: { key: string; modified_at: number }[] = [];
    for await (const object of deps.objects.list(prefix)) {
      if (object.modified_at <= oldest) page.push(object);
      if (page.length < PAGE) continue;
      found += await noteOrphans(deps, page);
      page = [];
    }
    if (page.length > 0) found += await noteOrphans(deps, page);
  }
  return found;
};
