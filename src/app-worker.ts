import type { Connections } from "./app.ts";
import { isTransient } from "./app.ts";
import { followErasures } from "./app-leaving.ts";
import { failpoints } from "./failpoints.ts";
import { digest } from "./flow/digest.ts";
import type { Database, OnStep } from "./flow/ports.ts";
import { pause } from "./flow/retry.ts";
import { Runner } from "./flow/runner.ts";
import { slots } from "./flow/slots.ts";
import type { AnyStage } from "./flow/stage.ts";
import { anyStage } from "./flow/stage.ts";
import { parquetFormat } from "./io/parquet.ts";
import { liveFirst } from "./live-first.ts";
import { historyPace, sampleGauges } from "./ops/gauges.ts";
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

const LIVE_SLOTS = 4;
const BACKFILL_SLOTS = 2;
const BACKLOG_CAP = 50_000;
const GAUGES_MS = 5_000;

export type Worker = { stop(): Promise<void> };

type Parts = Connections & {
  db: Database;
  onStep: OnStep;
  signal: AbortSignal;
  order: ReturnType<typeof liveFirst>;
};

/** The worker role: staging, windows, publish and the sweeper in one process. `fatal` is told once why it must end. */
export const startWorker = async (connections: Connections, fatal: (error: Error) => void): Promise<Worker> => {
  const { config, kafka } = connections;
  const ending = new AbortController();
  const db = connections.openDatabase(20);
  const onStep = failpoints({ kill: config.failpoint, stop: config.failpointStop }, STEPS);
  const parts: Parts = { ...connections, db, onStep, signal: ending.signal, order: liveFirst() };
  const wakes = kafka.producer();
  const runner = createStagingRunner(parts, { send: (records) => wakes.send(records), fatal });
  const windows = await startWindows(parts, fatal);
  await runner.start();
  const relaying = startRelay(parts, fatal);
  const gauging = startGauges(parts);
  const erasing = followErasures(connections, { db, objects: connections.openObjects() }, ending.signal).catch(fatal);
  return {
    stop: async () => {
      await runner.stop();
      ending.abort();
      await Promise.allSettled([windows.done, relaying, gauging, erasing]);
      await Promise.allSettled([windows.leave(), wakes.close()]);
      await db.close();
    },
  };
};

type Send = (records: { topic: string; key: string; value: Buffer }[]) => Promise<unknown>;

const createStagingRunner = (parts: Parts, { send, fatal }: { send: Send; fatal: (error: Error) => void }): Runner => {
  const { codec, topics, kafka, config, onStep, order } = parts;
  const wake = (touched: { athlete_id: string; dates: number[]; reason: string }): void => {
    const topic = topics("windows");
    // A lost wake-up only costs time: what is due stands in the windows table.
    codec
      .encode(topic, touched)
      .then((value) => send([{ topic, key: touched.athlete_id, value }]))
      .catch(() => undefined);
  };
  const chunks = { codec, digest, onStep, wake };
  const stages = new Map<string, AnyStage>([
    [topics("samples"), anyStage(createStagingStage(chunks, "live"))],
    [topics("sleep"), anyStage(createStagingStage(chunks, "live"))],
    [topics("backfill"), anyStage(createStagingStage(chunks, "backfill"))],
    [topics("batches"), anyStage(createReceiptStage(codec))],
    [topics("deadletter"), anyStage(createDeadLetterStage(codec))],
  ]);
  const live = slots(LIVE_SLOTS);
  const backfill = slots(BACKFILL_SLOTS);
  return new Runner({
    ...parts,
    group: STAGING_GROUP,
    deadLetterTopic: topics("deadletter"),
    consumer: kafka.consumer({ group: `${config.prefix}${STAGING_GROUP}`, topics: [...stages.keys()] }),
    log: kafka.logInfo(),
    stages,
    slot: (topic) => (work) =>
      topic === topics("backfill") ? backfill(() => order.turn().then(work)) : live(() => order.live(work)),
    isTransient,
    fatal,
  });
};

const startWindows = async (parts: Parts, fatal: (error: Error) => void) => {
  const { config, kafka, topics, db, clock } = parts;
  const log = kafka.logInfo();
  const stage = createWindowsStage({
    ...parts,
    onStep: parts.order.waiting(parts.onStep),
    topic: topics,
    rules: config.rules,
    objects: parts.openObjects(),
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
  });
  const consumer = kafka.consumer({ group: `${config.prefix}windows`, topics: [topics("windows")] });
  await followWakeUps({ consumer, log, crashed: fatal }, stage);
  const done = stage.run(parts.signal).catch(fatal);
  return { done, leave: () => consumer.stop() };
};

const startRelay = (parts: Parts, fatal: (error: Error) => void): Promise<void> => {
  const { kafka, config } = parts;
  const relay = createRelay({
    ...parts,
    openTransactional: (id) => kafka.transactional(id),
    openPlain: async () => kafka.producer(),
    prefix: config.prefix,
  });
  return relay
    .run(parts.signal)
    .then(() => relay.close())
    .catch(fatal);
};

const startGauges = async (parts: Parts): Promise<void> => {
  const logInfo = parts.kafka.logInfo();
  const history = historyPace(parts.topics("backfill"), parts.clock);
  while (!parts.signal.aborted) {
    // Figures only: what is away is logged by whoever needs it.
    await sampleGauges({ db: parts.db, logInfo, telemetry: parts.telemetry, history }).catch(() => undefined);
    await pause(GAUGES_MS, parts.signal);
  }
};
