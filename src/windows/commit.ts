import type { Instant, LocalDate } from "../domain/sample.ts";
import { StartOver, enqueueEffects, settleObjects } from "../flow/commit.ts";
import { lockAthlete, raiseVersion } from "../flow/athletes.ts";
import type { Of } from "../flow/metric-rows.ts";
import type { Clock, Database, OnStep, Tx } from "../flow/ports.ts";
import type { TopicNames } from "../flow/topics.ts";
import { changeDays, changeMetrics, changeSessions, changeStreams } from "./changes.ts";
import * as sql from "./commit-sql.ts";
import type { PaneDecision } from "./decide.ts";
import type { Pane } from "./due.ts";
import type { PaneFacts } from "./facts.ts";
import { changeFacts } from "./facts-sql.ts";
import type { Written, WrittenStream } from "./objects-of.ts";

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
  "pane.restaged",
  "pane.pointer-moved",
  "pane.sessions",
  "pane.streams",
  "pane.metrics",
  "pane.facts",
  "pane.adopted",
  "pane.outbox",
  "pane.intents-used",
  "pane.fired",
  "pane.committed",
] as const;

/** The objects that were written for a pane, with the pointers that will name them. */
export type PaneObjects = { days: readonly Written[]; streams: readonly WrittenStream[] };

export type CommitDeps = { db: Database; clock: Clock; onStep: OnStep; topic: TopicNames };

/** Answers `dirty` of the windows as it is now. */
const check = async (
  tx: Tx,
  facts: PaneFacts,
  decision: PaneDecision,
  now: Instant,
): Promise<Map<LocalDate, number>> => {
  const version = await lockAthlete(tx, facts.athlete_id);
  if (version !== facts.version) throw new StartOver("the athlete's version has moved");
  const topic_partition = facts.days[0]?.topic_partition ?? 0;
  const days = decision.dirtied.map((day) => ({ ...day, reason: "moved", topic_partition }));
  return sql.lockWindows(tx, facts.athlete_id, facts.days, { days, now });
};

const paneOf = (facts: PaneFacts, date: LocalDate): Pane => facts.days.find((day) => day.date === date)?.pane ?? "late";

/** Keys that nothing points to once this pane has committed. */
const supersededKeys = (decision: PaneDecision): string[] => {
  const days = [...decision.objects.map((object) => object.replaces), ...decision.removed];
  const streams = [...decision.streams.map((stream) => stream.replaces), ...decision.gone];
  return [...days, ...streams].flatMap((pointer) => (pointer ? [pointer.object_key] : []));
};

/**
 * The pane's one transaction. Throws StartOver when the athlete's version is no longer the one that the facts were
 * read at, or when the sweeper has condemned an object written for it.
 */
export const commitPane = async (
  deps: CommitDeps,
  facts: PaneFacts,
  decision: PaneDecision,
  written: PaneObjects,
): Promise<void> => {
  const now = deps.clock.now();
  const of: Of = { athlete_id: facts.athlete_id, topic: deps.topic, now };
  const closing = facts.days.filter((day) => day.pane !== "early");
  const objects = [...written.days, ...written.streams].map(({ write }) => write);
  const superseded = supersededKeys(decision).map((key) => ({ key, athlete_id: facts.athlete_id }));
  await deps.db.transaction(async (tx) => {
    await deps.onStep("pane.begun");
    const revs = await check(tx, facts, decision, now);
    await deps.onStep("pane.checked");
    if (closing.length > 0) await sql.emptyStaging(tx, facts.athlete_id, closing);
    await deps.onStep("pane.staging-emptied");
    await sql.restage(tx, facts.athlete_id, decision.restaged, revs);
    if (decision.zones.length > 0) await sql.noteZones(tx, facts.athlete_id, decision.zones);
    await deps.onStep("pane.restaged");
    const events = await changeDays(tx, of, decision, written.days);
    await deps.onStep("pane.pointer-moved");
    events.push(...(await changeSessions(tx, of, decision.sessions)));
    await deps.onStep("pane.sessions");
    await changeStreams(tx, of, decision, written.streams);
    await deps.onStep("pane.streams");
    events.push(...(await changeMetrics(tx, of, decision.metrics, (date) => paneOf(facts, date))));
    await deps.onStep("pane.metrics");
    await changeFacts(tx, of, decision.facts);
    await deps.onStep("pane.facts");
    if (decision.adopted.length > 0) await sql.writeAdopted(tx, facts.athlete_id, decision.adopted, now);
    if (decision.seen.length > 0) await sql.noteSeen(tx, facts.athlete_id, decision.seen);
    await deps.onStep("pane.adopted");
    await enqueueEffects(tx, { events, dead_letters: [] }, deps.topic("deadletter"));
    await deps.onStep("pane.outbox");
    await settleObjects(tx, { objects, superseded }, deps.clock);
    await deps.onStep("pane.intents-used");
    await sql.markFired(tx, facts.athlete_id, facts.days, now);
    await raiseVersion(tx, facts.athlete_id);
    await deps.onStep("pane.fired");
  });
  await deps.onStep("pane.committed");
};
