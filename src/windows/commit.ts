import type { Instant } from "../domain/sample.ts";
import { StartOver, enqueueEffects, settleObjects } from "../flow/commit.ts";
import { lockAthlete, nextRevisions, raiseVersion } from "../flow/athletes.ts";
import type { OutboxEvent } from "../flow/effects.ts";
import { type Of, removeMetrics, writeMetrics } from "../flow/metric-rows.ts";
import type { Clock, Database, OnStep, Tx } from "../flow/ports.ts";
import type { TopicNames } from "../flow/topics.ts";
import * as sql from "./commit-sql.ts";
import type { PaneDecision } from "./decide.ts";
import { partitionEvent, partitionGone } from "./events.ts";
import type { PaneFacts } from "./facts.ts";
import type { Written } from "./objects-of.ts";

/** The order in which a pane is carried out, each announced through OnStep: fault runs kill at every one. */
export const PANE_STEPS = [
  "pane.read",
  "pane.decided",
  "pane.noted",
  "pane.put-some",
  "pane.put",
  "pane.begun",
  "pane.checked",
  "pane.staging-emptied",
  "pane.pointer-moved",
  "pane.metrics",
  "pane.adopted",
  "pane.outbox",
  "pane.intents-used",
  "pane.fired",
  "pane.committed",
] as const;

export type CommitDeps = { db: Database; clock: Clock; onStep: OnStep; topic: TopicNames };

const check = async (tx: Tx, facts: PaneFacts, decision: PaneDecision, now: Instant): Promise<void> => {
  const version = await lockAthlete(tx, facts.athlete_id);
  if (version !== facts.version) throw new StartOver("the athlete's version has moved");
  const topic_partition = facts.days[0]?.topic_partition ?? 0;
  const days = decision.dirtied.map((day) => ({ ...day, reason: "moved", topic_partition }));
  await sql.lockWindows(tx, facts.athlete_id, facts.days, { days, now });
};

const movePointers = async (
  tx: Tx,
  of: Of,
  decision: PaneDecision,
  written: readonly Written[],
): Promise<OutboxEvent[]> => {
  const revisions = await nextRevisions(tx, written.length + decision.removed.length);
  const moved = written.map(({ pointer }, at) => ({ ...pointer, revision: revisions[at] as number }));
  if (moved.length > 0) await sql.movePointers(tx, of.athlete_id, moved, of.now);
  const gone = decision.removed;
  if (gone.length > 0) {
    await sql.removePointers(
      tx,
      of.athlete_id,
      gone.map((pointer) => pointer.period_start),
    );
  }
  return [
    ...moved.map((pointer) => partitionEvent(of, pointer, pointer.revision)),
    ...gone.map((pointer, at) => partitionGone(of, pointer, revisions[moved.length + at] as number)),
  ];
};

const changeMetrics = async (tx: Tx, of: Of, facts: PaneFacts, decision: PaneDecision): Promise<OutboxEvent[]> => {
  const { upserts, deletes } = decision.metrics;
  const revisions = await nextRevisions(tx, upserts.length + deletes.length);
  const rows = upserts.map((row, at) => {
    const pane = facts.days.find((day) => day.date === row.date)?.pane ?? "late";
    return Object.assign({ pane, revision: revisions[at] as number }, row);
  });
  const gone = deletes.map((key, at) => ({ ...key, revision: revisions[rows.length + at] as number }));
  return [...(await writeMetrics(tx, of, rows)), ...(await removeMetrics(tx, of, gone))];
};

/** Keys that nothing points to once this pane has committed. */
const supersededKeys = (decision: PaneDecision): string[] =>
  [...decision.objects.map((object) => object.replaces), ...decision.removed].flatMap((pointer) =>
    pointer ? [pointer.object_key] : [],
  );

/**
 * The pane's one transaction. Throws StartOver when the athlete's version is no longer the one that the facts were
 * read at, or when the sweeper has condemned an object written for it.
 */
export const commitPane = async (
  deps: CommitDeps,
  facts: PaneFacts,
  decision: PaneDecision,
  written: readonly Written[],
): Promise<void> => {
  const now = deps.clock.now();
  const of: Of = { athlete_id: facts.athlete_id, topic: deps.topic, now };
  const closing = facts.days.filter((day) => day.pane !== "early");
  const superseded = supersededKeys(decision).map((key) => ({ key, athlete_id: facts.athlete_id }));
  await deps.db.transaction(async (tx) => {
    await deps.onStep("pane.begun");
    await check(tx, facts, decision, now);
    await deps.onStep("pane.checked");
    if (closing.length > 0) await sql.emptyStaging(tx, facts.athlete_id, closing);
    await deps.onStep("pane.staging-emptied");
    const events = await movePointers(tx, of, decision, written);
    await deps.onStep("pane.pointer-moved");
    events.push(...(await changeMetrics(tx, of, facts, decision)));
    await deps.onStep("pane.metrics");
    if (decision.adopted.length > 0) await sql.writeAdopted(tx, facts.athlete_id, decision.adopted, now);
    if (decision.seen.length > 0) await sql.noteSeen(tx, facts.athlete_id, decision.seen);
    await deps.onStep("pane.adopted");
    await enqueueEffects(tx, { events, dead_letters: [] }, deps.topic("deadletter"));
    await deps.onStep("pane.outbox");
    await settleObjects(tx, { objects: written.map(({ write }) => write), superseded }, deps.clock);
    await deps.onStep("pane.intents-used");
    await sql.markFired(tx, facts.athlete_id, facts.days, now);
    await raiseVersion(tx, facts.athlete_id);
    await deps.onStep("pane.fired");
  });
  await deps.onStep("pane.committed");
};
