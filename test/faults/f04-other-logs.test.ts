import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import { beforeAll, afterAll, describe, expect, test } from "vitest";
import { random } from "../../bench/generator/random.ts";
import { topicNames, type TopicName } from "../../src/flow/topics.ts";
import { down, up } from "../../stack/stack.ts";
import { collect } from "../support/audit/audit.ts";
import { auditEnvironment } from "../support/audit/environment.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { endOf, finish, heal, sendAll, undisturbed } from "../support/service/fault-run.ts";
import { differences, finalState, type FinalState } from "../support/service/final-state.ts";
import { judged } from "../support/service/judged.ts";
import type { ServiceProcess } from "../support/service/processes.ts";
import { makeTopics, openService, type Service } from "../support/service/service.ts";
import { isolated, type Isolated } from "../support/stack.ts";

const SAMPLES = ["samples", "sleep", "backfill"] as const satisfies readonly TopicName[];
const OTHER_CLUSTER = `faults-other-${process.pid}`;
const REFUSES_MS = 120_000;
const dice = random(SEED, "other logs");
const input = faultInput();
const [before = [], after = []] = slices(input, 2);

/** What the log becomes under a service that has applied `before`; answers the service that goes on with `after`. */
type Change = {
  name: string;
  play(at: { here: Isolated; service: Service; topic: string; worker: ServiceProcess }): Promise<Service>;
  /** The worker that ran before runs on. */
  staysUp: boolean;
  /** Names the topic, tells why. */
  refusal: RegExp;
  /** Of `positions set`, before it is told to do it. */
  effect: RegExp;
  /** Compacted topics of another cluster are empty: consumers of the old one know what they held. */
  hasOutputs: boolean;
};

const withAdmin = async <T>(here: Isolated, act: (admin: kafkajs.Admin) => Promise<T>): Promise<T> => {
  const brokers = here.env.KAFKA_BROKERS.split(",");
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
};

const recreated: Change = {
  name: "a topic that was deleted and made again",
  play: async ({ here, service, topic }) => {
    await withAdmin(here, (admin) => admin.deleteTopics({ topics: [topic] }));
    while ((await withAdmin(here, (admin) => admin.listTopics())).includes(topic)) await sleep(100);
    await makeTopics(here);
    await sendAll(service, after);
    return service;
  },
  staysUp: true,
  refusal: /recreated|beyond the end of the log/,
  effect: /applied again|nothing lost/,
  hasOutputs: true,
};

const truncated: Change = {
  name: "records that were removed before they were applied",
  play: async ({ here, service, topic, worker }) => {
    worker.signal("SIGSTOP");
    await sendAll(service, after);
    await withAdmin(here, async (admin) => {
      const ends = await admin.fetchTopicOffsets(topic);
      const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
      await admin.deleteTopicRecords({ topic, partitions });
    });
    worker.signal("SIGCONT");
    return service;
  },
  staysUp: true,
  refusal: /were removed from the log before they were applied/,
  effect: /\d+ records are no longer in the log and were never applied/,
  hasOutputs: true,
};

let otherBrokers = "";
const swapped: Change = {
  name: "another cluster in the place of the first",
  play: async ({ here, service }) => {
    await service.close();
    const env = { ...here.env, KAFKA_BROKERS: otherBrokers };
    const moved = await openService({ ...here, env });
    moved.client.ledger.push(...service.client.ledger);
    await sendAll(moved, after);
    return moved;
  },
  staysUp: false,
  refusal: /belongs to cluster .*, this is /,
  effect: /applied again|nothing lost/,
  hasOutputs: false,
};

const CHANGES = WHOLE_MATRIX ? [recreated, truncated, swapped] : [dice.pick([recreated, truncated])];
const corners = await Promise.all(["log-calm", ...CHANGES.map((_, n) => `log-${n}`)].map((name) => isolated(name)));
let calm: Promise<FinalState>;

/** Until a worker refuses: one that only lost its connections meanwhile is started again, as a supervisor does. */
const refusing = async (service: Service, first: ServiceProcess): Promise<string> => {
  const until = Date.now() + REFUSES_MS;
  for (let worker = first; Date.now() < until; worker = service.worker()) {
    const exit = await endOf(worker, until - Date.now());
    if (exit?.code === 78) return worker.wholeLog();
    if (exit === null) throw new Error(`the worker works on, in another log:\n${worker.log()}`);
  }
  throw new Error("no worker refused");
};

const positions = (service: Service, topic: string): Promise<unknown[]> =>
  service.sql(
    "select topic_partition, position, fingerprint from consumer_offsets where topic = $1 and position > 0 order by 1",
    [topic],
  );

/** What the refusal says to do: look, decide, restart. Sent again by clients is what no log holds any more. */
const decided = async (service: Service, { effect }: Change, topics: readonly string[]): Promise<void> => {
  expect(await service.command("positions", "show")).toContain(topics[0]);
  for (const topic of topics) {
    const args = ["positions", "set", "--topic", topic, "--to", "earliest"];
    const told = await service.command(...args, "--dry-run");
    if (topic === topics[0]) expect(told).toMatch(effect);
    await service.command(...args, "--yes");
  }
};

/** As if nothing had happened. What another cluster was not told of is compared in tables and objects. */
const outcome = async (service: Service, { hasOutputs }: Change): Promise<string[]> => {
  const expected = await calm;
  if (hasOutputs) return differences(expected, await finish(service));
  await heal(service);
  const environment = auditEnvironment(service.env);
  const state = await finalState(environment.databaseUrl, await collect(environment));
  const kept = Object.entries(expected).filter(([name]) => !name.startsWith("topic "));
  return differences(Object.fromEntries(kept), state);
};

describe.concurrent(`the log is not the log that was read (seed ${SEED})`, () => {
  beforeAll(async () => {
    const [corner] = corners;
    if (corner) calm = undisturbed(corner, input);
    if (CHANGES.includes(swapped))
      otherBrokers = (await up({ name: OTHER_CLUSTER, say: () => undefined })).KAFKA_BROKERS;
  }, 15 * 60_000);
  afterAll(async () => {
    if (otherBrokers !== "") await down(OTHER_CLUSTER, false, () => undefined);
  }, 60_000);

  test.for(CHANGES.map((change, n) => ({ change, name: change.name, n })))(
    "F4 $name: refused, then read on from where the operator decides, nothing lost or doubled",
    { timeout: 10 * 60_000 },
    async ({ change, n }, context) => {
      const here = corners[n + 1];
      if (!here) throw new Error("no corner");
      const topics = topicNames(here.prefix);
      const topic = topics(dice.pick(SAMPLES));
      let service = await openService(here);
      try {
        await sendAll(service, before);
        await heal(service);
        const known = await positions(service, topic);
        expect(known.length).toBeGreaterThan(0);
        const worker = service.worker();
        await worker.event("worker.ready");
        service = await change.play({ here, service, topic, worker });
        const log = await refusing(service, change.staysUp ? worker : service.worker());
        expect(log).toMatch(change.refusal);
        expect(log).toContain("health-sync positions set");
        expect(await positions(service, topic)).toEqual(known);
        const all = [...SAMPLES, "batches", "deadletter"] as const;
        await decided(
          service,
          change,
          change === swapped ? [topic, ...all.map(topics).filter((t) => t !== topic)] : [topic],
        );
        if (change === truncated) await sendAll(service, after);
        expect(await outcome(service, change)).toEqual([]);
        judged(context);
      } finally {
        await service.close();
      }
    },
  );
});
