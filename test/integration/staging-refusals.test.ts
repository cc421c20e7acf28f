import kafkajs from "kafkajs";
import { beforeAll, expect, test } from "vitest";
import { Refusal } from "../../src/flow/positions.ts";
import { openCorner } from "../support/corner.ts";
import { sleep, until } from "../support/kafka-member.ts";
import { isolated } from "../support/stack.ts";
import { heartRates, uuid } from "../support/staging/chunks.ts";
import { openRig } from "../support/staging/rig.ts";
import type { Worker } from "../support/staging/rig.ts";

const here = await isolated("staging-refusals");
const rig = openRig(here, await openCorner(here, 1));
const kafka = new kafkajs.Kafka({
  brokers: here.env.KAFKA_BROKERS.split(","),
  logLevel: kafkajs.logLevel.NOTHING,
});
beforeAll(() => rig.applyTopics());

const topic = rig.topics("samples");
let sent = 0;
const send = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await rig.send("samples", [heartRates([{ sample_id: uuid((sent += 1)) }])]);
};
const stagedCount = async (): Promise<number> =>
  (await rig.db.query<{ n: number }>(`select count(*) as n from health_samples_staging`))[0]?.n ?? -1;
const high = async (): Promise<number> => (await rig.logInfo.bounds(topic)).get(0)?.high ?? -1;
/** A fresh client each time: one that has asked for a topic which then was deleted fails on other calls too. */
const withAdmin = async <T>(act: (admin: kafkajs.Admin) => Promise<T>): Promise<T> => {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.fetchTopicMetadata({ topics: [topic] });
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
};
const removeBelow = (offset: number): Promise<void> =>
  withAdmin((admin) => admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] }));

const begin = (group: string): Promise<Worker> => rig.work({ group, only: ["samples"] });
const applied = (group: string): Promise<void> => rig.applied(group, ["samples"]);
const refusal = async (worker: Worker): Promise<string> => {
  await until("a refusal", () => worker.fatal.length > 0, 20);
  await worker.stop();
  expect(worker.fatal).toEqual([expect.any(Refusal)]);
  return String(worker.fatal[0]);
};

test("a stored position beyond the end of the log is refused, and names the way out", async () => {
  await send(2);
  await rig.db.query(
    `insert into consumer_offsets (group_id, topic, topic_partition, position) values ('beyond', $1, 0, 99)`,
    [topic],
  );
  expect(await refusal(await begin("beyond"))).toMatch(/position 99 is beyond the end .*`health-sync positions set`/);
});

test("another cluster's position is refused", async () => {
  await rig.db.query(
    `insert into consumer_offsets (group_id, topic, topic_partition, position, cluster_id)
     values ('foreign', $1, 0, 1, 'elsewhere')`,
    [topic],
  );
  expect(await refusal(await begin("foreign"))).toMatch(/belongs to cluster elsewhere/);
});

test("records removed before they were applied are refused, while down and while running", async () => {
  const down = await begin("down");
  const running = await begin("running");
  await Promise.all([applied("down"), applied("running")]);
  await down.stop();
  // Held behind a lock, so that it is behind when its records go.
  const locked = Promise.withResolvers<void>();
  const holding = rig.db.transaction(async (tx) => {
    await tx.query(`lock table athletes in exclusive mode`);
    await locked.promise;
  });
  try {
    const before = await high();
    await send(1);
    await sleep(1000);
    await send(3);
    await removeBelow(before + 2);
  } finally {
    locked.resolve();
    await holding;
  }
  expect(await refusal(running)).toMatch(/were removed from the log before they were applied/);
  expect(await refusal(await begin("down"))).toMatch(/were removed from the log before they were applied/);
});

test("retention up to exactly the position refuses nothing, and what comes later is applied", async () => {
  await rig.db.query(
    `insert into consumer_offsets (group_id, topic, topic_partition, position) values ('kept', $1, 0, $2)`,
    [topic, await high()],
  );
  await send(1);
  const worker = await begin("kept");
  await applied("kept");
  await removeBelow(await high());
  const count = await stagedCount();
  await send(2);
  await applied("kept");
  await worker.stop();
  const again = await begin("kept");
  await send(1);
  await applied("kept");
  await again.stop();
  expect([...worker.fatal, ...again.fatal]).toEqual([]);
  expect(await stagedCount()).toBe(count + 3);
});

test("a topic made again with as many records is refused by its last record, while down and while running", async () => {
  const recreate = async (): Promise<void> => {
    const count = await high();
    await withAdmin((admin) => admin.deleteTopics({ topics: [topic] }));
    await sleep(500);
    await rig.applyTopics();
    await send(count);
  };
  const start = async (group: string): Promise<Worker> => {
    await rig.db.query(
      `insert into consumer_offsets (group_id, topic, topic_partition, position) values ($1, $2, 0, $3)`,
      [group, topic, (await rig.logInfo.bounds(topic)).get(0)?.low ?? 0],
    );
    await send(1);
    const worker = await begin(group);
    await applied(group);
    return worker;
  };
  await (await start("recreated")).stop();
  await recreate();
  expect(await refusal(await begin("recreated"))).toMatch(
    /is not the one that was applied last; the topic was recreated/,
  );
  const running = await start("recreated-running");
  await recreate();
  await send(1);
  await until("an end", () => running.fatal.length > 0, 25);
  const count = await stagedCount();
  // The client may crash over the missing topic; then it is the next start that refuses.
  const reason =
    running.fatal[0] instanceof Refusal ? String(running.fatal[0]) : await refusal(await begin("recreated-running"));
  await running.stop();
  expect(reason).toMatch(/recreated|beyond the end/);
  expect(await stagedCount()).toBe(count);
});
