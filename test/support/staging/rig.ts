import { afterAll } from "vitest";
import { isTransient } from "../../../src/app.ts";
import type { SampleChunk } from "../../../src/domain/sample.ts";
import { digest } from "../../../src/flow/digest.ts";
import type { Database, GroupConsumer, OnStep, Producer } from "../../../src/flow/ports.ts";
import { Runner } from "../../../src/flow/runner.ts";
import { slots } from "../../../src/flow/slots.ts";
import type { AnyStage } from "../../../src/flow/stage.ts";
import { anyStage } from "../../../src/flow/stage.ts";
import { openDatabase } from "../../../src/io/postgres.ts";
import { createRelay } from "../../../src/publish/relay.ts";
import { createDeadLetterStage } from "../../../src/staging/dead-letter-stage.ts";
import { createReceiptStage } from "../../../src/staging/receipts.ts";
import { createStagingStage } from "../../../src/staging/stage.ts";
import type { Corner } from "../corner.ts";
import { until } from "../kafka-member.ts";
import type { Isolated } from "../stack.ts";

export type Worker = {
  runner: Runner;
  fatal: Error[];
  /** Names the worker's connections, to cut them. */
  application: string;
  stop(): Promise<void>;
};
type Options = { group?: string; only?: readonly string[]; onStep?: OnStep; stages?: ReadonlyMap<string, AnyStage> };

let workers = 0;

const stagesOf = ({ codec, topics }: Corner, onStep: OnStep): Map<string, AnyStage> => {
  const chunks = { codec, digest, onStep, wake: () => undefined };
  return new Map([
    [topics("samples"), anyStage(createStagingStage(chunks, "live"))],
    [topics("backfill"), anyStage(createStagingStage(chunks, "backfill"))],
    [topics("batches"), anyStage(createReceiptStage(codec))],
    [topics("deadletter"), anyStage(createDeadLetterStage(codec))],
  ]);
};

const sender =
  ({ codec, topics }: Corner, producer: Producer) =>
  async (topic: "samples" | "backfill", chunks: readonly SampleChunk[]): Promise<void> => {
    const records = chunks.map(async (chunk) => ({
      topic: topics(topic),
      key: chunk.athlete_id,
      value: await codec.encode(topics(topic), chunk),
      headers: { batch_id: chunk.batch_id },
    }));
    await producer.send(await Promise.all(records));
  };

/** Until every record that is in the topics now is applied. */
const applier =
  ({ db, topics, logInfo }: Corner) =>
  async (group = "staging", names: readonly string[] = ["samples", "backfill"], seconds = 30) => {
    const wanted: [string, number, number][] = [];
    for (const name of names) {
      const topic = topics(name as "samples");
      for (const [partition, { high }] of await logInfo.bounds(topic)) wanted.push([topic, partition, high]);
    }
    const places = (): Promise<{ topic: string; topic_partition: number; position: number }[]> =>
      db.query(`select topic, topic_partition, position from consumer_offsets where group_id = $1`, [group]);
    await until(
      `${group} to apply ${names.join(", ")}`,
      async () => {
        const stored = new Map((await places()).map((p) => [`${p.topic}/${p.topic_partition}`, p.position]));
        return wanted.every(
          ([topic, partition, high]) => high <= Math.max(0, stored.get(`${topic}/${partition}`) ?? 0),
        );
      },
      seconds,
    );
  };

/** Publishes the plain lane: staging's own dead letters. */
const relayer = (here: Isolated, corner: Corner) => async (): Promise<void> => {
  const one = createRelay({
    ...corner,
    openTransactional: (id) => corner.kafka.transactional(id),
    openPlain: async () => corner.kafka.producer(),
    onStep: () => undefined,
    owner: "rig",
    prefix: here.prefix,
  });
  await one.drainOnce();
  await one.close();
};

/** Tables as the final state knows them (I3). */
const stateOf = async (db: Database): Promise<Record<string, unknown[]>> => ({
  staged: await db.query(
    `select athlete_id, sample_id, metric, start_at, value, tz, local_date from health_samples_staging order by 1, 2`,
  ),
  tombstones: await db.query(`select athlete_id, sample_id, reason, twin_key from sample_tombstones order by 1, 2`),
  syncs: await db.query(`select * from sample_syncs order by 1, 2, 3, 4`),
  totals: await db.query(`select athlete_id, date, metric, value from daily_totals order by 1, 2, 3`),
  zones: await db.query(`select athlete_id, zones_seen from athletes order by 1`),
  windows: await db.query(`select athlete_id, local_date from windows order by 1, 2`),
  letters: await db.query(`select id, reason, path from dead_letters order by 1`),
});

/** Staging on a corner of the real stack, composed as the worker composes it; every worker has its own connections. */
export const openRig = (here: Isolated, corner: Corner) => {
  const { topics, kafka } = corner;
  const producer = kafka.producer();
  const running = new Set<Worker>();
  afterAll(async () => {
    await Promise.all([...running].map((worker) => worker.stop()));
    await producer.close();
  });

  /** A worker that takes part in `group`, with the named stages only. */
  const work = async (options: Options = {}): Promise<Worker> => {
    const { group = "staging", only = ["samples", "backfill"], onStep = () => undefined } = options;
    const application = `${here.prefix}${(workers += 1)}`.slice(-60);
    const own = openDatabase({ url: here.databaseUrl, max: 6, application_name: application });
    const all = options.stages ?? stagesOf(corner, onStep);
    const stages = new Map([...all].filter(([topic]) => only.some((name) => topic === topics(name as "samples"))));
    const fatal: Error[] = [];
    const consumer: GroupConsumer = kafka.consumer({
      group: here.prefix + group,
      topics: [...stages.keys()],
      heartbeatMs: 300,
    });
    const runner = new Runner({
      ...corner,
      db: own,
      log: corner.logInfo,
      onStep,
      group,
      deadLetterTopic: topics("deadletter"),
      consumer,
      stages,
      slot: () => slots(4),
      isTransient,
      fatal: (error) => fatal.push(error),
    });
    const worker: Worker = {
      runner,
      fatal,
      application,
      stop: async () => {
        if (!running.delete(worker)) return;
        await runner.stop();
        await own.close();
      },
    };
    running.add(worker);
    await runner.start();
    return worker;
  };

  return {
    ...corner,
    work,
    send: sender(corner, producer),
    applied: applier(corner),
    relay: relayer(here, corner),
    state: () => stateOf(corner.db),
    producer,
  };
};
export type Rig = ReturnType<typeof openRig>;

/** Holds whoever passes the step first, until it is let go. */
export const gate = (step: string) => {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let used = false;
  const onStep: OnStep = async (name) => {
    if (used || name !== step) return;
    used = true;
    reached.resolve();
    await opened.promise;
  };
  return { onStep, reached: reached.promise, open: () => opened.resolve() };
};
