import { ok } from "../../../src/flow/outcome.ts";
import type { Outcome } from "../../../src/flow/outcome.ts";
import type { OnStep, RawRecord, Telemetry, Tx } from "../../../src/flow/ports.ts";
import { Runner } from "../../../src/flow/runner.ts";
import { slots } from "../../../src/flow/slots.ts";
import type { AnyStage } from "../../../src/flow/stage.ts";
import { MemoryLog, ScriptedConsumer, TOPIC } from "./memory-log.ts";
import { Away, MemoryStore } from "./memory-store.ts";

/** Writes down the offsets that it is given; `decode` may be another. */
export const recordingStage = (decode: (record: RawRecord) => Promise<Outcome<unknown>>): AnyStage => ({
  name: "recording",
  decode,
  read: () => Promise.resolve(null),
  decide: (inputs) => ({
    objects: [],
    superseded: [],
    rows: inputs.map(({ record }) => record),
    events: [],
    dead_letters: [],
    tally: { applied: inputs.length },
  }),
  write: async (tx: Tx, rows) => {
    const records = rows as RawRecord[];
    await tx.query("apply", [records[0]?.topic_partition ?? -1, records.map((r) => r.offset)]);
  },
});

export const silentTelemetry: Telemetry = {
  info: () => undefined,
  warn: () => undefined,
  count: () => undefined,
  gauge: () => undefined,
  time: () => undefined,
};

type Over = {
  onStep?: OnStep;
  decode?: (record: RawRecord) => Promise<Outcome<unknown>>;
  stages?: ReadonlyMap<string, AnyStage>;
};

/** A runner on the memory log and store, with a scripted consumer. `fatal` is what it ended with. */
export const makeMember = async (world: { log: MemoryLog; store: MemoryStore }, over: Over = {}) => {
  const consumer = new ScriptedConsumer(world.log);
  const fatal: Error[] = [];
  const decode = over.decode ?? ((record) => Promise.resolve(ok(record)));
  const runner = new Runner({
    consumer,
    db: world.store.database(),
    log: world.log,
    clock: { now: () => Date.now() },
    onStep: over.onStep ?? (() => undefined),
    group: "group",
    deadLetterTopic: "dead",
    stages: over.stages ?? new Map([[TOPIC, recordingStage(decode)]]),
    slot: () => slots(1),
    telemetry: silentTelemetry,
    isTransient: (error) => error instanceof Away,
    fatal: (error) => fatal.push(error),
  });
  await runner.start();
  return { runner, consumer, fatal };
};
export type ModelMember = Awaited<ReturnType<typeof makeMember>>;

export const makeWorld = (partitions: number) => ({ log: new MemoryLog(partitions), store: new MemoryStore() });
