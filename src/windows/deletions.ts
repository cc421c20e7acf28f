import { metricOfType } from "../domain/catalogue.ts";
import { dayEnd } from "../domain/local-day.ts";
import { twinKey } from "../domain/merge.ts";
import type { LocalDate, Sample } from "../domain/sample.ts";
import { touchedDates } from "../domain/window.ts";
import { slots } from "../flow/slots.ts";
import { lockAthlete, raiseVersion } from "../flow/athletes.ts";
import { type Touched, lockWindows } from "./commit-sql.ts";
import * as sql from "./deletions-sql.ts";
import type { OpenDeletion, SearchedObject } from "./deletions-sql.ts";
import type { WindowsDeps } from "./facts.ts";

/** Announced through OnStep while deletions are resolved. */
export const DELETION_STEPS = ["deletion.resolved", "deletion.searched"] as const;

const IDS_AT_ONCE = 1000;
const OBJECTS_AT_ONCE = 16;
const CONCURRENCY = 8;

type Search = {
  athlete_id: string;
  topic_partition: number;
  open: OpenDeletion[];
  objects: SearchedObject[];
};

/** The windows whose results read the deleted rows: they fire again, and their panes drop the rows. */
const windowsOf = (found: readonly Sample[], zones: readonly string[], topic_partition: number): Touched[] => {
  const touched = new Map<LocalDate, Touched>();
  for (const sample of found) {
    for (const date of touchedDates(sample, zones)) {
      touched.set(date, { date, closes_at: dayEnd(date, sample.tz), reason: "deletion", topic_partition });
    }
  }
  return [...touched.values()];
};

const settle = async (deps: WindowsDeps, search: Search, stored: readonly Sample[], staged: boolean): Promise<void> => {
  const now = deps.clock.now();
  const { athlete_id, topic_partition } = search;
  await deps.db.transaction(async (tx) => {
    await lockAthlete(tx, athlete_id);
    const ids = search.open.map((deletion) => deletion.sample_id);
    // Read before the lock: whoever was erased meanwhile has no days any more that could be dirty.
    const standing = await sql.standing(tx, athlete_id, ids);
    const rows = staged ? await sql.stagedOf(tx, athlete_id, ids) : stored;
    const found = rows.filter((row) => standing.has(row.sample_id));
    if (found.length === 0) return;
    // One time line is merged over all zones of an athlete (D13).
    const days = windowsOf(found, await sql.zonesSeen(tx, athlete_id), topic_partition);
    await lockWindows(tx, athlete_id, [], { days, now });
    if (staged) {
      await sql.removeStaged(
        tx,
        athlete_id,
        found.map((sample) => sample.sample_id),
      );
    }
    await sql.resolveFound(
      tx,
      athlete_id,
      found.map((sample) => ({ sample, twin_key: twinKey(sample) })),
      now,
    );
    await raiseVersion(tx, athlete_id);
  });
  await deps.onStep("deletion.resolved");
};

/** Whether an object holds the metric that the deletion names; every object may, where it names none. */
const isHintedAt = (deletion: OpenDeletion, object: SearchedObject): boolean => {
  if (deletion.type === null) return true;
  const metric = metricOfType(deletion.type)?.key;
  return metric !== undefined && object.metrics.includes(metric);
};

/** `hinted`: objects that the deletion's type points to; those come first. `rest`: all others, since a hint may be wrong. */
type Where = "hinted" | "rest";

const mayHold = (deletion: OpenDeletion, object: SearchedObject, where: Where): boolean => {
  if (where === "rest") return !isHintedAt(deletion, object);
  if (deletion.searched_to !== null && object.period_start >= deletion.searched_to) return false;
  return isHintedAt(deletion, object);
};

const searchObject = async (deps: WindowsDeps, key: string, ids: readonly string[]): Promise<Sample[]> => {
  const body = await deps.objects.get(key);
  const wanted = new Set(ids);
  if (!deps.parquet.decodeIds(body).some((id) => wanted.has(id))) return [];
  const rows = deps.parquet.decodeDay(body);
  return rows.filter((row) => wanted.has(row.sample_id));
};

/**
 * Looks through closed days, newest first, and records how far it came after every few objects that were hinted at.
 * Answers what was not found.
 */
const searchObjects = async (deps: WindowsDeps, search: Search, where: Where): Promise<OpenDeletion[]> => {
  let open = search.open;
  for (let at = 0; at < search.objects.length && open.length > 0; at += OBJECTS_AT_ONCE) {
    const slice = search.objects.slice(at, at + OBJECTS_AT_ONCE);
    const turn = slots(CONCURRENCY);
    const found = await Promise.all(
      slice.map((object) => {
        const here = open.filter((deletion) => mayHold(deletion, object, where)).map((deletion) => deletion.sample_id);
        return here.length === 0 ? Promise.resolve([]) : turn(() => searchObject(deps, object.object_key, here));
      }),
    );
    const rows = found.flat();
    if (rows.length > 0) await settle(deps, search, rows, false);
    const done = new Set(rows.map((row) => row.sample_id));
    open = open.filter((deletion) => !done.has(deletion.sample_id));
    const oldest = slice.at(-1)?.period_start;
    const ids = open.map((deletion) => deletion.sample_id);
    if (where === "hinted" && oldest !== undefined && ids.length > 0)
      await sql.recordSearched(deps.db, search.athlete_id, ids, oldest);
    await deps.onStep("deletion.searched");
  }
  return open;
};

const searchClosedDays = async (deps: WindowsDeps, search: Search): Promise<void> => {
  const left = await searchObjects(deps, search, "hinted");
  const open = await searchObjects(deps, { ...search, open: left }, "rest");
  const absent = open.map((deletion) => deletion.sample_id);
  await sql.resolveAbsent(deps.db, search.athlete_id, absent, deps.clock.now());
};

/**
 * Looks for the rows of an athlete's open deletions: in staging, then in closed days. A row can appear in neither
 * after its tombstone has committed, because every later writer filters by it: so what is not found in this snapshot
 * never will be. Throws ObjectMissing when a pointer moved on meanwhile; `searched_to` says where to go on.
 */
const resolveSome = async (deps: WindowsDeps, athleteId: string, partition: number): Promise<number> => {
  const facts = await deps.db.snapshot(async (tx) => {
    const open = await sql.openDeletions(tx, athleteId, IDS_AT_ONCE);
    const ids = open.map((deletion) => deletion.sample_id);
    const staged = open.length > 0 ? await sql.stagedOf(tx, athleteId, ids) : [];
    const objects = open.length > staged.length ? await sql.objectsOf(tx, athleteId) : [];
    return { open, staged, objects };
  });
  if (facts.open.length === 0) return 0;
  const search = { athlete_id: athleteId, topic_partition: partition, ...facts };
  if (facts.staged.length > 0) await settle(deps, search, [], true);
  const found = new Set(facts.staged.map((row) => row.sample_id));
  await searchClosedDays(deps, { ...search, open: facts.open.filter((deletion) => !found.has(deletion.sample_id)) });
  return facts.open.length;
};

/** Resolves an athlete's open deletions; answers how many there were. */
export const resolveDeletions = async (deps: WindowsDeps, athleteId: string, partition: number): Promise<number> => {
  let resolved = 0;
  for (;;) {
    const some = await resolveSome(deps, athleteId, partition);
    resolved += some;
    if (some < IDS_AT_ONCE) return resolved;
  }
};
