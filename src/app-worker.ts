import type { Connections } from "./app.ts";
import { isTransient } from "./app.ts";
import { followErasures } from "./app-leaving.ts";
import { digest } from "./flow/digest.ts";
import type { Database, OnStep } from "./flow/ports.ts";
import { pause } from "./flow/retry.ts";
import { Runner } from "./flow/runner.ts";
import { slots } from "./flow/slots.ts";
import type { AnyStage } from "./flow/stage.ts";
import { anyStage } from "./flow/stage.ts";
import { parquetFormat } from "./io/parquet.ts";
import { historyPace, sampleGauges } from "./ops/gauges.ts";
import { pruneReceipts } from "./ops/prune-receipts.ts";
import { STAGING_GROUP } from "./ops/wait.ts";
import { RELAY_STEPS } from "./publish/lane.ts";
import { createRelay } from "./publish/relay.ts";
import { createDeadLetterStage } from "./staging/dead-letter-stage.ts";
import { createReceiptStage } from "./staging/receipts.ts";
import { STAGING_STEPS, createStagingStage } from "./staging/stage.ts";
import { createAppliedPast } from "./windows/applied.ts";
import { PANE_STEPS } from "./windows/commit.ts";
import { DELETION_STEPS } from "./windows/deletions.ts";
import { HISTORY_STEPS } from "./windows/history-pass.ts";
import { createWindowsStage } from "./windows/stage.ts";
import { ROLL_STEPS } from "./windows/roll.ts";
import { SWEEP_STEPS } from "./windows/sweeper.ts";
import { followWakeUps } from "./windows/wake-ups.ts";

/** Every step that a failpoint can name. */
export const STEPS: readonly string[] = [
  ...STAGING_STEPS,
  ...PANE_STEPS,
  ...HISTORY_STEPS,
  ...DELETION_STEPS,
  ...RELAY_STEPS,
  ...SWEEP_STEPS,
  ...ROLL_STEPS,
];

/**
 * The worker is two processes, so that a live record never waits for the event loop, memory or garbage of whole days of
 * history being decided and encoded. `live`: what a live record passes, from the log to `today`, and events on their
 * way out. `background`: everything that takes long.
 */
export type WorkerPart = "live" | "background";
export const WORKER_PARTS: readonly WorkerPart[] = ["live", "background"];

const SLOTS: Record<WorkerPart, number> = { live: 4, background: 2 };
const CONNECTIONS = 12;
const BACKLOG_CAP = 50_000;
const PRUNE_MS = 3_600_000;
const GAUGES_MS = 10_000;

export type Worker = { stop(): Promise<void> };

/** `fatal` is told why the process must end. */
export type WorkerDeps = Connections & { onStep: OnStep; fatal: (error: Error) => void };
type Deps = WorkerDeps & { db: Database; signal: AbortSignal };

/** Resolves once the part's work is under way. */
export const startWorker = async (part: WorkerPart, given: WorkerDeps): Promise<Worker> => {
  const ending = new AbortController();
  const db = given.openDatabase(CONNECTIONS);
  const deps: Deps = { ...given, db, signal: ending.signal };
  const wakes = deps.kafka.producer();
  const runner = createStagingRunner(part, deps, (records) => wakes.send(records));
  const working = part === "live" ? [startRelay(deps)] : await startBackground(deps);
  await runner.start();
  return {
    stop: async () => {
      await runner.stop();
      ending.abort();
      await Promise.allSettled(working);
      await Promise.allSettled([wakes.close(), db.close()]);
    },
  };
};

/** Each resolves after the signal. */
const startBackground = async (deps: Deps): Promise<Promise<void>[]> => {
  const windows = await startWindows(deps);
  const erasing = followErasures(deps, { db: deps.db, objects: deps.openObjects() }, deps.signal).catch(deps.fatal);
  return [windows.done, startGauges(deps), erasing, followReceipts(deps)];
};

type Send = (records: { topic: string; key: string; value: Buffer }[]) => Promise<unknown>;

/** The Kafka group that hands out the topics of a part; positions are kept under STAGING_GROUP, whoever holds them. */
const consumerGroup = (part: WorkerPart): string => (part === "live" ? STAGING_GROUP : `${STAGING_GROUP}-${part}`);

const createStagingRunner = (part: WorkerPart, deps: Deps, send: Send): Runner => {
  const { codec, topics, kafka, config, onStep } = deps;
  const wake = (touched: { athlete_id: string; dates: number[]; reason: string }): void => {
    const topic = topics("windows");
    // A lost wake-up only costs time: what is due stands in the windows table.
    codec
      .encode(topic, touched)
      .then((value) => send([{ topic, key: touched.athlete_id, value }]))
      .catch(() => undefined);
  };
  const chunks = { codec, digest, onStep, wake };
  const stages: Record<WorkerPart, [string, AnyStage][]> = {
    live: [
      [topics("samples"), anyStage(createStagingStage(chunks, "live"))],
      [topics("sleep"), anyStage(createStagingStage(chunks, "live"))],
      [topics("batches"), anyStage(createReceiptStage(codec))],
      [topics("deadletter"), anyStage(createDeadLetterStage(codec))],
    ],
    background: [[topics("backfill"), anyStage(createStagingStage(chunks, "backfill"))]],
  };
  const mine = new Map(stages[part]);
  const slot = slots(SLOTS[part]);
  return new Runner({
    ...deps,
    group: STAGING_GROUP,
    deadLetterTopic: topics("deadletter"),
    consumer: kafka.consumer({ group: `${config.prefix}${consumerGroup(part)}`, topics: [...mine.keys()] }),
    log: kafka.logInfo(),
    stages: mine,
    slot: () => slot,
    isTransient,
  });
};

/** `done`: nothing is under way any more, and the group is left. */
const startWindows = async (deps: Deps): Promise<{ done: Promise<void> }> => {
  const { config, kafka, topics, db, clock, fatal } = deps;
  const log = kafka.logInfo();
  const stage = createWindowsStage({
    ...deps,
    topic: topics,
    rules: config.rules,
    objects: deps.openObjects(),
    parquet: parquetFormat,
    config: {
      grace: config.windowGrace,
      sweep_grace: config.sweepGrace,
      early_every: config.earlyEvery,
      late_quiet: config.lateQuiet,
      backfill_quiet: config.backfillQuiet,
      backlog_cap: BACKLOG_CAP,
      month_quiet: config.monthQuiet,
      month_late_quiet: config.monthLateQuiet,
    },
    appliedPast: createAppliedPast({
      db,
      log,
      clock,
      topics: [topics("samples"), topics("sleep")],
      group: STAGING_GROUP,
    }),
    isTransient,
    heard: () => notices.heard(),
  });
  const notices = deps.listen(db, { windows: () => stage.wake() });
  const consumer = kafka.consumer({ group: `${config.prefix}windows`, topics: [topics("windows")] });
  await followWakeUps({ consumer, log, crashed: fatal }, stage);
  const run = async (): Promise<void> => {
    await stage.run(deps.signal).catch(fatal);
    await Promise.all([consumer.stop(), notices.close()]);
  };
  return { done: run() };
};

const startRelay = (deps: Deps): Promise<void> => {
  const { kafka, config } = deps;
  const relay = createRelay({
    ...deps,
    openTransactional: (id) => kafka.transactional(id),
    openPlain: async () => kafka.producer(),
    prefix: config.prefix,
    heard: () => notices.heard(),
  });
  const notices = deps.listen(deps.db, { outbox: () => relay.wake() });
  return relay
    .run(deps.signal)
    .then(() => Promise.all([relay.close(), notices.close()]))
    .then(() => undefined, deps.fatal);
};

const followReceipts = async ({ db, clock, config, telemetry, signal, fatal }: Deps): Promise<void> => {
  while (!signal.aborted) {
    try {
      const removed = await pruneReceipts({ db, clock, kept_ms: config.receiptsKept }, signal);
      if (removed > 0) telemetry.info("receipts_removed", { removed });
    } catch (error) {
      if (!isTransient(error)) return fatal(error as Error);
      telemetry.warn("receipts_put_off", { error });
    }
    await pause(PRUNE_MS, signal);
  }
};

const startGauges = async (deps: Deps): Promise<void> => {
  const logInfo = deps.kafka.logInfo();
  const history = historyPace(deps.topics("backfill"), deps.clock);
  while (!deps.signal.aborted) {
    // Figures only: what is away is logged by whoever needs it.
    await sampleGauges({ db: deps.db, logInfo, telemetry: deps.telemetry, history }).catch(() => undefined);
    await pause(GAUGES_MS, deps.signal);
  }
};
