import * as fc from "fast-check";
import { beforeAll, beforeEach, expect, test } from "vitest";
import type { SampleChunk } from "../../src/domain/sample.ts";
import { openCorner } from "../support/corner.ts";
import { sleep } from "../support/kafka-member.ts";
import { isolated } from "../support/stack.ts";
import { aChunk, chunkOf, deleting, heartRates, STEPS, uuid } from "../support/staging/chunks.ts";
import { gate, openRig } from "../support/staging/rig.ts";

const here = await isolated("staging");
const rig = openRig(here, await openCorner(here, 3));
beforeAll(() => rig.applyTopics());

const TABLES = "health_samples_staging, sample_tombstones, sample_syncs, daily_totals, windows, athletes, dead_letters";
beforeEach(async () => {
  await rig.db.query(`truncate ${TABLES}, outbox`);
});

let groups = 0;
/** A group of its own that has read everything before. */
const groupAtEnd = async (): Promise<string> => {
  const group = `g${(groups += 1)}`;
  for (const name of ["samples", "backfill", "batches", "deadletter"] as const) {
    for (const [partition, { high }] of await rig.logInfo.bounds(rig.topics(name))) {
      await rig.db.query(
        `insert into consumer_offsets (group_id, topic, topic_partition, position) values ($1, $2, $3, $4)`,
        [group, rig.topics(name), partition, high],
      );
    }
  }
  return group;
};
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
console.log(`seed ${seed}`);
const drawn = (count: number, salt: number): SampleChunk[] =>
  fc.sample(fc.tuple(...Array.from({ length: count }, (_, n) => chunkOf(n))), { seed: seed + salt, numRuns: 1 })[0] ??
  [];

test("chunks become rows under their day's number, dirty windows, tombstones, totals and a position", async () => {
  const group = await groupAtEnd();
  await rig.send("samples", [
    heartRates([{ sample_id: uuid(1) }, { sample_id: uuid(2), start_at: Date.parse("2026-03-12T12:00:00Z") }]),
    aChunk({
      deletions: [{ sample_id: uuid(2), type: null }],
      daily: [{ date: 20_522, type: STEPS, value: 9, unit: "count" }],
    }),
  ]);
  const worker = await rig.work({ group });
  await rig.applied(group);
  await worker.stop();
  const rows = await rig.db.query(
    `select s.sample_id, s.value, s.rev = w.dirty as numbered, w.fired, w.lane from health_samples_staging s
     join windows w using (athlete_id, local_date)`,
  );
  expect(rows).toEqual([{ sample_id: uuid(1), value: 57, numbered: true, fired: 0, lane: "live" }]);
  expect(await rig.state()).toMatchObject({
    tombstones: [{ sample_id: uuid(2), reason: "deleted" }],
    totals: [{ date: "2026-03-10", metric: "steps", value: 9 }],
  });
  const places = await rig.db.query(
    `select fingerprint is not null as marked, cluster_id, attempts from consumer_offsets
     where group_id = $1 and last_offset is not null`,
    [group],
  );
  expect(places).toEqual([{ marked: true, cluster_id: await rig.logInfo.clusterId(), attempts: 0 }]);
  expect(worker.fatal).toEqual([]);
});

test("redelivery, and a replay of everything from the start, change nothing", async () => {
  const group = await groupAtEnd();
  const marks = await rig.logInfo.bounds(rig.topics("samples"));
  const all = drawn(12, 1);
  await rig.send("samples", all);
  const first = await rig.work({ group, only: ["samples"] });
  await rig.applied(group, ["samples"]);
  const before = await rig.state();
  const dirty = await rig.db.query(`select * from windows order by 1, 2`);
  expect(before["staged"]?.length).toBeGreaterThan(0);
  await rig.send("samples", all);
  await rig.applied(group, ["samples"]);
  await first.stop();
  for (const [at, { high }] of marks) {
    await rig.db.query(
      `update consumer_offsets set position = $3, fingerprint = null where group_id = $1 and topic_partition = $2`,
      [group, at, high],
    );
  }
  const again = await rig.work({ group, only: ["samples"] });
  await rig.applied(group, ["samples"]);
  await again.stop();
  expect(await rig.state()).toEqual(before);
  expect(await rig.db.query(`select * from windows order by 1, 2`)).toEqual(dirty);
});

test("the same through both lanes at once, by two workers, with retries and cut connections, ends as one batch would", async () => {
  const all = drawn(30, 2);
  const [apart, together] = [await groupAtEnd(), await groupAtEnd()];
  await Promise.all([rig.send("samples", all), rig.send("backfill", all.toReversed())]);
  const workers = await Promise.all([rig.work({ group: apart }), rig.work({ group: apart })]);
  for (let n = 0; n < 5; n += 1) {
    await sleep(150);
    await rig.db.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`, [
      workers[n % 2]?.application,
    ]);
  }
  await rig.applied(apart);
  await Promise.all(workers.map((worker) => worker.stop()));
  expect(workers.flatMap((worker) => worker.fatal)).toEqual([]);
  const ended = await rig.state();
  await rig.db.query(`truncate ${TABLES}`);
  const calm = await rig.work({ group: together, only: ["samples"] });
  await rig.applied(together, ["samples"]);
  await calm.stop();
  const undisturbed = await rig.state();
  // Windows may have been touched by a copy that lost: more dirty days are no other result.
  const { windows, ...tables } = undisturbed;
  expect(ended).toMatchObject(tables);
  expect(ended["windows"]).toEqual(expect.arrayContaining(windows ?? []));
});

test("a deletion and the sample that it is meant for, in two lanes at one moment, do not miss each other", async () => {
  for (const step of ["staging.begun", "staging.read", "staging.decided", "staging.rows"]) {
    await rig.db.query(`truncate ${TABLES}`);
    // An athlete that is known: nothing but its lock makes the two wait for each other.
    await rig.db.query(`insert into athletes (athlete_id, zones_seen) values ('a1', '{UTC}')`);
    const group = await groupAtEnd();
    const held = gate(step);
    const worker = await rig.work({ group, onStep: held.onStep });
    await rig.send("samples", [heartRates([{ sample_id: uuid(1) }])]);
    await held.reached;
    await rig.send("backfill", [deleting(uuid(1))]);
    await sleep(700);
    held.open();
    await rig.applied(group);
    await worker.stop();
    const { staged, tombstones } = await rig.state();
    expect(staged, step).toEqual([]);
    expect(tombstones, step).toMatchObject([
      { reason: "deleted", twin_key: ["heart_rate", ...Array(4).fill(expect.anything())] },
    ]);
  }
});
