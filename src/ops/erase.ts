import { lockAthlete } from "../flow/athletes.ts";
import type { OnStep } from "../flow/ports.ts";
import type { TopicNames } from "../flow/topics.ts";
import { type EraseObjectsDeps, countObjects, deleteOrphans } from "./erase-objects.ts";
import { type DeclaredTopic, type EraseReport, eraseReport } from "./erase-report.ts";
import { athleteTables, countKeys, countRows, deleteRows, markErased, replaceOutbox } from "./erase-sql.ts";

/**
 * The order of an erasure. Postgres goes first and at once: from its commit on nothing older comes back, and no pointer
 * names an object. Objects go after it, by listing. Killed anywhere, it is finished by running it again; what is left
 * of the objects the worker finishes by itself (`sweepErased`).
 */
export const ERASE_STEPS = [
  "erase.begun",
  "erase.locked",
  "erase.outbox",
  "erase.rows",
  "erase.marked",
  "erase.committed",
  "erase.objects",
] as const;

export type EraseDeps = EraseObjectsDeps & {
  topic: TopicNames;
  /** Every topic with its declared settings. */
  declared: readonly DeclaredTopic[];
  onStep: OnStep;
};

/** What `erase` would remove. Changes nothing. */
export const planErase = async (deps: EraseDeps, athleteId: string): Promise<EraseReport> => {
  const counted = await deps.db.snapshot(async (tx) => {
    const rows: Record<string, number> = {};
    for (const table of await athleteTables(tx)) rows[table] = await countRows(tx, table, athleteId);
    return { rows, tombstones: await countKeys(tx, deps.topic, athleteId) };
  });
  const objects = await countObjects(deps.objects, athleteId);
  const of = { athlete_id: athleteId, dry_run: true, erased_before: null, now: deps.clock.now() };
  return eraseReport(of, { ...counted, objects }, deps.declared);
};

/**
 * Removes everything of an athlete and answers where from. Under the athlete's lock, with the version raised: whoever
 * read before finds another version, or its intent gone, and starts over on nothing. Input received before, wherever
 * it is on its way, is dropped by staging for ever.
 */
export const eraseAthlete = async (deps: EraseDeps, athleteId: string): Promise<EraseReport> => {
  await deps.onStep("erase.begun");
  const erased = await deps.db.transaction(async (tx) => {
    await lockAthlete(tx, athleteId);
    await deps.onStep("erase.locked");
    const rows: Record<string, number> = {};
    const tables = await athleteTables(tx);
    rows["outbox"] = await countRows(tx, "outbox", athleteId);
    const tombstones = await replaceOutbox(tx, deps.topic, athleteId);
    await deps.onStep("erase.outbox");
    for (const table of tables) if (table !== "outbox") rows[table] = await deleteRows(tx, table, athleteId);
    await deps.onStep("erase.rows");
    const erased_before = await markErased(tx, athleteId, deps.clock.now());
    await deps.onStep("erase.marked");
    return { rows, tombstones, erased_before };
  });
  await deps.onStep("erase.committed");
  const objects = await deleteOrphans(deps, athleteId);
  await deps.onStep("erase.objects");
  const of = { athlete_id: athleteId, dry_run: false, erased_before: erased.erased_before, now: deps.clock.now() };
  return eraseReport(of, { ...erased, objects }, deps.declared);
};
