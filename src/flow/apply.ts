import { recordDeadLetter } from "./dead-letters.ts";
import { StartOver, enqueueEffects } from "./commit.ts";
import type { DeadLetter, Effects } from "./effects.ts";
import type { Clock, Database, OnStep, RawRecord, TopicPartition } from "./ports.ts";
import { advance, fingerprintOf } from "./positions.ts";
import type { AnyStage, Input } from "./stage.ts";

export type ApplyDeps = {
  db: Database;
  clock: Clock;
  onStep: OnStep;
  group: string;
  deadLetterTopic: string;
};

/** What one applied run of records did, for the log line and telemetry. */
export type Applied = { position: number; fingerprint: string; tally: Record<string, number> };

type Decoded = { inputs: Input<unknown>[]; dead: DeadLetter[]; tally: Record<string, number> };

const decodeAll = async (stage: AnyStage, records: readonly RawRecord[], attempts: number): Promise<Decoded> => {
  const decoded: Decoded = { inputs: [], dead: [], tally: {} };
  const count = (fate: string): void => {
    decoded.tally[fate] = (decoded.tally[fate] ?? 0) + 1;
  };
  for (const record of records) {
    const outcome = await stage.decode(record);
    if (outcome.kind === "ok") decoded.inputs.push({ record, value: outcome.value });
    else if (outcome.kind === "drop") count(`dropped_${outcome.reason}`);
    else {
      decoded.dead.push(recordDeadLetter(record, outcome, Math.max(1, attempts)));
      count("dead");
    }
  }
  return decoded;
};

const MAX_START_OVERS = 10;

/**
 * The commit order for records: decode, then one transaction of facts, decision, rows, outbox, dead letters and
 * position. Decides again on StartOver. Throws Fenced when the topic partition has another owner.
 */
export const applyRecords = async (
  deps: ApplyDeps,
  stage: AnyStage,
  lane: TopicPartition & { epoch: number; cluster_id: string; crashed_offset: number | null; attempts: number },
  records: readonly RawRecord[],
): Promise<Applied> => {
  const step = (name: string): void | Promise<void> => deps.onStep(`${stage.name}.${name}`);
  const last = records.at(-1);
  if (!last) throw new Error("applyRecords needs at least one record");
  const to = {
    position: last.offset + 1,
    fingerprint: fingerprintOf(last),
    timestamp: last.timestamp,
    cluster_id: lane.cluster_id,
    crashed_offset: lane.crashed_offset,
  };
  await step("fetched");
  const decoded = await decodeAll(stage, records, lane.attempts);
  await step("decoded");
  const once = (): Promise<Effects<unknown>> =>
    deps.db.transaction(async (tx) => {
      await step("begun");
      const facts = await stage.read(tx, decoded.inputs);
      await step("read");
      const effects = stage.decide(decoded.inputs, facts, deps.clock.now());
      await step("decided");
      await stage.write(tx, effects.rows);
      await step("rows");
      await enqueueEffects(
        tx,
        { events: effects.events, dead_letters: [...decoded.dead, ...effects.dead_letters] },
        deps.deadLetterTopic,
      );
      await step("outbox");
      await advance(tx, deps.group, lane, to);
      await step("position");
      return effects;
    });
  const effects = await startingOver(once);
  await step("committed");
  stage.committed?.(effects);
  await step("woken");
  const tally = { ...decoded.tally };
  for (const [fate, n] of Object.entries(effects.tally)) tally[fate] = (tally[fate] ?? 0) + n;
  return { position: to.position, fingerprint: to.fingerprint, tally };
};

const startingOver = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StartOver) || attempt === MAX_START_OVERS) throw error;
    }
  }
};
