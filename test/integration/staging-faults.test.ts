import { randomBytes } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { dead, ok } from "../../src/flow/outcome.ts";
import { Refusal } from "../../src/flow/positions.ts";
import type { AnyStage } from "../../src/flow/stage.ts";
import { openCorner } from "../support/corner.ts";
import { sleep, until } from "../support/kafka-member.ts";
import { isolated } from "../support/stack.ts";
import { aChunk, heartRates, uuid } from "../support/staging/chunks.ts";
import { gate, openRig } from "../support/staging/rig.ts";

const here = await isolated("staging-faults");
const rig = openRig(here, await openCorner(here, 3));
const { db, topics, producer, codec } = rig;
beforeAll(() => rig.applyTopics());

let ids = 0;
const athletes = Array.from({ length: 9 }, (_, n) => `athlete-${n}`);
/** A chunk for each athlete, with a sample that was never sent before. */
const wave = () => athletes.map((athlete_id) => heartRates([{ sample_id: uuid((ids += 1)) }], { athlete_id }));
const stagedCount = async (): Promise<number> =>
  (await db.query<{ n: number }>(`select count(*) as n from health_samples_staging`))[0]?.n ?? -1;
const dirt = async (): Promise<number> =>
  (await db.query<{ n: number }>(`select coalesce(sum(dirty), 0) as n from windows`))[0]?.n ?? -1;
const letters = (): Promise<{ reason: string; path: string; payload: Buffer; attempts: number }[]> =>
  db.query(`select reason, path, payload, attempts from dead_letters order by first_seen_at, reason`);

/** Counts how often each record's effects were committed: a decorated stage writes them down in the same transaction. */
const counting = (stage: AnyStage): AnyStage => ({
  ...stage,
  write: async (tx, rows) => {
    const offsets = rows as { topic_partition: number; offset: number }[];
    for (const { topic_partition, offset } of offsets) {
      await tx.query(`insert into applied_once values ($1, $2)`, [topic_partition, offset]);
    }
  },
});
const plainStage: AnyStage = {
  name: "staging",
  decode: (record) => Promise.resolve(ok(record)),
  read: () => Promise.resolve(null),
  decide: (inputs) => ({
    objects: [],
    superseded: [],
    rows: inputs.map(({ record }) => record),
    events: [],
    dead_letters: [],
    tally: {},
  }),
  write: () => Promise.resolve(),
};

test("members come and go, connections are cut: the effects of every record are committed exactly once", async () => {
  await db.query(`create table applied_once (p int, o bigint, primary key (p, o))`);
  const stages = new Map([[topics("samples"), counting(plainStage)]]);
  const options = { group: "churn", only: ["samples"], stages, onStep: () => sleep(3) };
  const first = await rig.work(options);
  const sending = (async () => {
    for (let n = 0; n < 40; n += 1) await rig.send("samples", wave());
  })();
  const second = await rig.work(options);
  await sleep(1500);
  await db.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = any($1)`, [
    [first.application, second.application],
  ]);
  await first.stop();
  const third = await rig.work(options);
  await sending;
  await rig.applied("churn", ["samples"], 60);
  await Promise.all([second.stop(), third.stop()]);
  expect([first, second, third].flatMap((worker) => worker.fatal)).toEqual([]);
  const [row] = await db.query<{ n: number }>(`select count(*) as n from applied_once`);
  expect(row?.n).toBe(40 * athletes.length);
});

test.each(["staging.decoded", "staging.begun"])(
  "a worker that slept at %s is fenced when it wakes: it changes nothing, and both go on right",
  async (step) => {
    const only = ["samples"];
    const asleep = gate(step);
    const group = `zombie-${step}`;
    const start = async (): Promise<void> => {
      for (const [partition, { high }] of await rig.logInfo.bounds(topics("samples"))) {
        await db.query(
          `insert into consumer_offsets (group_id, topic, topic_partition, position) values ($1, $2, $3, $4)`,
          [group, topics("samples"), partition, high],
        );
      }
    };
    await start();
    const zombie = await rig.work({ group, only, onStep: asleep.onStep });
    const [count, before] = [await stagedCount(), await dirt()];
    const [athlete_id] = athletes as [string];
    await rig.send("samples", [heartRates([{ sample_id: uuid((ids += 1)) }], { athlete_id })]);
    await asleep.reached;
    // Another group member under the same stored positions: what the group does once it has given the first one up.
    const successor = await rig.work({ group, only });
    await rig.db.query(`update consumer_offsets set epoch = epoch + 1 where group_id = $1`, [group]);
    asleep.open();
    await rig.applied(group, only);
    await rig.send("samples", wave());
    await rig.applied(group, only);
    await Promise.all([zombie.stop(), successor.stop()]);
    expect([...zombie.fatal, ...successor.fatal]).toEqual([]);
    expect(await stagedCount()).toBe(count + 1 + athletes.length);
    // Two days for each heart rate, each raised once.
    expect((await dirt()) - before).toBeLessThanOrEqual(2 * (1 + athletes.length));
  },
);

test("poison is dead-lettered through the plain lane with its bytes, and the consumer goes on", async () => {
  const topic = topics("samples");
  const athlete_id = "athlete-0";
  const good = await codec.encode(topic, heartRates([{ sample_id: uuid((ids += 1)) }], { athlete_id }));
  const foreign = await codec.encode(topic, aChunk({ athlete_id: "not valid!" }));
  const clock = await codec.encode(topic, aChunk({ athlete_id, received_at: 8e15 }));
  const unknown = Buffer.concat([Buffer.of(0, 0, 15, 255, 255), good.subarray(5)]);
  const values = [Buffer.from("no frame"), unknown, null, foreign, clock, good.subarray(0, 9), good];
  const headers = { batch_id: "nul\0in it" };
  await producer.send(values.map((value) => ({ topic, key: athlete_id, value, headers })));
  await producer.send([{ topic, key: "athlete-1", value: good }]);
  const count = await stagedCount();
  const worker = await rig.work({ group: "poison" });
  await rig.applied("poison");
  expect(await stagedCount()).toBeGreaterThan(count);
  await worker.stop();
  expect(worker.fatal).toEqual([]);
  await rig.relay();
  const filing = await rig.work({ group: "filing", only: ["deadletter"] });
  await rig.applied("filing", ["deadletter"]);
  await filing.stop();
  const filed = await letters();
  expect(filed.map(({ reason, path }) => `${reason} ${path}`).toSorted()).toEqual([
    "bad_frame ",
    "bad_frame value",
    "bad_payload athlete_id",
    "bad_payload received_at",
    "bad_payload value",
    "unknown_schema value",
    "wrong_key key",
  ]);
  expect(filed.find(({ reason }) => reason === "unknown_schema")?.payload).toEqual(unknown);
  // Applied again from the start it makes the same letters.
  await db.query(`update consumer_offsets set position = -1, fingerprint = null where group_id = 'poison'`);
  const again = await rig.work({ group: "poison" });
  await rig.applied("poison");
  await again.stop();
  await rig.relay();
  const refiling = await rig.work({ group: "filing", only: ["deadletter"] });
  await rig.applied("filing", ["deadletter"]);
  await refiling.stop();
  expect(await letters()).toHaveLength(filed.length);
});

test("a producer's batches that fill a fetch each are read all the same", async () => {
  const topic = topics("samples");
  for (let n = 0; n < 4; n += 1) await producer.send([{ topic, key: "big", value: randomBytes(450_000) }]);
  const stages = new Map([[topic, { ...plainStage, decode: () => Promise.resolve(dead("bad_frame", "", "big")) }]]);
  const worker = await rig.work({ group: "big", only: ["samples"], stages });
  await rig.applied("big", ["samples"]);
  await worker.stop();
  expect(worker.fatal).toEqual([]);
  await db.query(`truncate outbox`);
});

const crashed = (): Promise<{ offset: number }[]> =>
  db.query(
    `select (value->'origin'->>'offset')::int as offset from outbox where value->>'reason' = 'crashed' order by 1`,
  );

test("a record under which workers die is given up as crashed; two in a row are refused", async () => {
  const topic = topics("samples");
  const stage: AnyStage = {
    ...plainStage,
    // What no one expects ends the process, as a kill would: the try that was counted stays counted.
    decode: (record) =>
      record.value?.toString() === "kills" ? Promise.reject(new TypeError("dead")) : Promise.resolve(ok(record)),
  };
  const options = { group: "deaths", only: ["samples"], stages: new Map([[topic, stage]]) };
  const put = (...values: string[]) =>
    producer.send(values.map((value) => ({ topic, key: "k", value: Buffer.from(value) })));
  /** Workers until one lives; answers how they ended. */
  const liveOn = async (): Promise<Error[]> => {
    const ends: Error[] = [];
    for (let n = 0; n < 8; n += 1) {
      const worker = await rig.work(options);
      let done = false;
      const applying = rig.applied("deaths", ["samples"], 15).then(() => (done = true));
      await until("an end", () => done || worker.fatal.length > 0);
      applying.catch(() => undefined);
      await worker.stop();
      if (worker.fatal.length === 0) return ends;
      ends.push(...worker.fatal);
      if (worker.fatal[0] instanceof Refusal) return ends;
    }
    return ends;
  };
  await put("one", "kills", "two");
  const ends = await liveOn();
  expect(ends.length).toBeGreaterThanOrEqual(3);
  expect(new Set(ends.map(String))).toEqual(new Set(["TypeError: dead"]));
  expect(await crashed()).toHaveLength(1);
  await put("kills", "kills");
  const refused = await liveOn();
  expect(String(refused.at(-1))).toMatch(/died under two records in a row/);
  expect(await crashed()).toHaveLength(2);
});
