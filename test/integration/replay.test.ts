import kafkajs from "kafkajs";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { connect } from "../../src/app.ts";
import { openReplay } from "../../src/app-replay.ts";
import { readConfig } from "../../src/config.ts";
import type { SampleChunk } from "../../src/domain/sample.ts";
import { replayCommand } from "../../src/ops/replay-command.ts";
import { openCorner } from "../support/corner.ts";
import { until } from "../support/kafka-member.ts";
import { isolated } from "../support/stack.ts";
import { aChunk, aSent, aSeries, heartRates, STEPS, uuid } from "../support/staging/chunks.ts";
import { openRig } from "../support/staging/rig.ts";

const here = await isolated("replay-run");
const rig = openRig(here, await openCorner(here, 1));
const topic = rig.topics("samples");
const kafka = new kafkajs.Kafka({ brokers: here.env.KAFKA_BROKERS.split(","), logLevel: kafkajs.logLevel.NOTHING });

const run = async (...args: string[]): Promise<{ out: string; code: number }> => {
  const lines: string[] = [];
  let code = 0;
  await replayCommand({
    open: () => openReplay(connect(readConfig({ ...here.env, LOG_LEVEL: "silent" }), "test")),
    print: (line) => lines.push(line),
    stderr: { write: () => undefined },
    exit: (told) => {
      code = told;
    },
  }).parseAsync(args, { from: "user" });
  return { out: lines.join("\n"), code };
};
type End = { outcome: string; id: string; done: number; total: number; tally: Record<string, number> };
const json = async <T = End>(...args: string[]): Promise<T> => JSON.parse((await run(...args, "--json")).out) as T;
const staged = async (): Promise<string[]> => {
  const rows = await rig.db.query<{ name: string }>(
    `select athlete_id || ' ' || metric || ' ' || value as name from health_samples_staging order by 1`,
  );
  return rows.map((row) => row.name);
};

const walk = (n: number, athlete_id: string): SampleChunk =>
  aChunk({ athlete_id, series: [aSeries([aSent({ sample_id: uuid(n), value: n })], { type: STEPS, unit: "count" })] });
const beat = (n: number, athlete_id: string): SampleChunk =>
  heartRates([{ sample_id: uuid(n), value: 40 + n }], { athlete_id });
/** Offsets 0 to 5, and the broker's time between the third and the fourth. */
let between = 0;

beforeAll(async () => {
  await rig.applyTopics();
  await rig.send("samples", [beat(1, "a1"), walk(2, "a1"), beat(3, "a2")]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  between = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 30));
  await rig.send("samples", [walk(4, "a2"), beat(5, "a1"), beat(6, "a2")]);
}, 60_000);
beforeEach(async () => {
  await rig.db.query(
    `truncate health_samples_staging, sample_tombstones, windows, athletes, replays, replay_ranges, consumer_offsets`,
  );
});

test("a replay applies what was selected, and nothing else: by athlete, metric, offset and time together", async () => {
  expect(await json("--athlete", "a1", "--metric", "heart_rate")).toMatchObject({ outcome: "done", done: 6, total: 6 });
  expect(await staged()).toEqual(["a1 heart_rate 41", "a1 heart_rate 45"]);
  await json("--from-offset", "samples/0=1", "--to-offset", "samples/0=3", "--athlete", "a1,a2");
  expect(await staged()).toEqual(["a1 heart_rate 41", "a1 heart_rate 45", "a1 steps 2", "a2 heart_rate 43"]);
  await rig.db.query(`truncate health_samples_staging, windows`);
  const at = new Date(between).toISOString();
  expect(await json("--since", at, "--metric", "steps")).toMatchObject({
    total: 3,
    tally: { stored: 1, dropped_not_selected: 2 },
  });
  expect(await staged()).toEqual(["a2 steps 4"]);
  expect(await json("--until", at, "--topic", "samples", "--metric", "steps")).toMatchObject({
    total: 3,
    tally: { stored: 1 },
  });
  expect(await staged()).toEqual(["a1 steps 2", "a2 steps 4"]);
  expect(await json("--topic", "sleep,backfill")).toMatchObject({ outcome: "done", total: 0 });
}, 60_000);

test("staging's own position and live windows are left alone, and days are touched in the slow lane", async () => {
  await json();
  expect(await rig.db.query(`select distinct group_id from consumer_offsets`)).toEqual([]);
  expect(await rig.db.query(`select distinct lane from windows`)).toEqual([{ lane: "backfill" }]);
  expect(await staged()).toHaveLength(6);
}, 60_000);

test("a replay that another process pauses rests where it was, is listed so, and goes on to its end", async () => {
  const running = json("--rate", "1");
  const list = async (): Promise<{ replay_id: string; state: string; done: number; total: number }[]> =>
    (await json<{ replays: { replay_id: string; state: string; done: number; total: number }[] }>("list")).replays;
  await until("the first record", async () => ((await list())[0]?.done ?? 0) > 0, 20);
  const id = (await list())[0]?.replay_id ?? "";
  await expect(run("resume", id)).rejects.toThrow("is running in another process");
  await run("pause", id);
  const rested = await running;
  expect(rested).toMatchObject({ outcome: "paused", total: 6 });
  const [shown] = await list();
  expect(shown).toMatchObject({ state: "paused" });
  expect(shown?.done).toBeLessThan(6);
  expect(shown?.done).toBe((await staged()).length);
  await rig.db.query(`update replays set rate = null`);
  const end = await json("resume", id);
  expect(end).toMatchObject({ outcome: "done", done: 6, tally: { stored: 6 - (shown?.done ?? 0) } });
  expect((await run("list")).out).toContain("100 %");
  await expect(run("resume", id)).rejects.toThrow(`replay ${id} is done`);
}, 60_000);

test("a cancelled replay ends at once, keeps what it did, and leaves no position", async () => {
  const running = run("--rate", "1");
  const find = (): Promise<{ replay_id: string }[]> =>
    rig.db.query(`select replay_id from replays where state = 'running'`);
  await until("a replay to run", async () => (await find()).length > 0, 20);
  const [found] = await find();
  await run("cancel", found?.replay_id ?? "");
  const { out, code } = await running;
  expect(code).toBe(1);
  expect(out).toContain("cancelled");
  expect(await rig.db.query(`select 1 from consumer_offsets`)).toEqual([]);
  await expect(run("pause", found?.replay_id ?? "")).rejects.toThrow("is cancelled");
  await expect(run("pause", "nonsense")).rejects.toThrow("there is no replay nonsense");
}, 60_000);

test("what was received before an athlete's erasure stays away", async () => {
  await rig.db.query(`insert into athletes (athlete_id, erased_before) values ('a1', now())`);
  expect(await json()).toMatchObject({ tally: { erased: 3, stored: 3 } });
  expect((await staged()).map((name) => name.slice(0, 2))).toEqual(["a2", "a2", "a2"]);
}, 60_000);

test("what the log no longer holds is said, and counts as not done where it was asked for", async () => {
  const admin = kafka.admin();
  await admin.connect();
  await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "2" }] });
  await admin.disconnect();
  const all = await run();
  expect(all.out).toContain(`${topic}/0: the log begins at offset 2; 2 records before it are gone`);
  expect(all.code).toBe(0);
  expect((await run("--from-offset", "samples/0=1")).code).toBe(1);
  expect((await run("--since", "2020-01-01")).out).toContain("what came before and fits the time is gone");
  expect(await staged()).toHaveLength(4);
  await expect(run("--from-offset", "samples/7=1")).rejects.toThrow("no topic partition samples/7");
}, 60_000);

test("a replay that waits while the log forgets its place refuses, and says so", async () => {
  await run();
  const [old] = await rig.db.query<{ replay_id: string }>(`select replay_id from replays`);
  const id = old?.replay_id ?? "";
  await rig.db.query(`update replays set state = 'paused'`);
  await rig.db.query(
    `insert into consumer_offsets (group_id, topic, topic_partition, position)
     select 'staging@replay-' || replay_id, topic, topic_partition, 0 from replay_ranges`,
  );
  await expect(run("resume", id)).rejects.toThrow(/replay .* stopped: .*records 0 to 1 were removed .*Cancel it/);
  expect(await rig.db.query(`select state from replays`)).toEqual([{ state: "paused" }]);
}, 60_000);
