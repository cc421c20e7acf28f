import { Client } from "pg";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { isTransient } from "../../src/app.ts";
import { takeOver, advance, Fenced } from "../../src/flow/positions.ts";
import { positionsCommand } from "../../src/ops/positions-command.ts";
import { showPositions } from "../../src/ops/positions.ts";
import { historyPace, sampleGauges } from "../../src/ops/gauges.ts";
import { NotQuiet, STAGING_GROUP, waitForQuiet } from "../../src/ops/wait.ts";
import { openCorner } from "../support/corner.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("wait");
const corner = await openCorner(here);
const { db, topics, kafka, logInfo } = corner;
const samples = topics("samples");
let high = 0;

beforeAll(async () => {
  await corner.applyTopics();
  const producer = kafka.producer();
  // One key: everything is in one topic partition.
  await producer.send(Array.from({ length: 5 }, (_, n) => ({ topic: samples, key: "anna", value: Buffer.from([n]) })));
  await producer.close();
});
let partition = 0;
beforeEach(async () => {
  for (const table of ["consumer_offsets", "windows", "sample_tombstones", "outbox"])
    await db.query(`delete from ${table}`);
  const used = [...(await logInfo.bounds(samples))].find(([, bounds]) => bounds.high > 0);
  [partition, high] = [used?.[0] ?? -1, used?.[1].high ?? -1];
});

const applied = async (position: number): Promise<void> => {
  const [mine] = await takeOver(db, STAGING_GROUP, [{ topic: samples, topic_partition: partition }]);
  if (!mine) throw new Error("not taken over");
  await db.transaction((tx) =>
    advance(tx, STAGING_GROUP, mine, {
      position,
      fingerprint: "f",
      timestamp: 1_795_000_000_000,
      cluster_id: "c",
      crashed_offset: 2,
    }),
  );
};
const waiting = { ...corner, grace: 0, isTransient };
const wait = (athlete?: string, timeout = 0) =>
  waitForQuiet(waiting, { timeout, everyMs: 20, ...(athlete === undefined ? {} : { athlete }) });
const window = (athlete: string, dirty: number, closesAt: string) =>
  db.query(
    `insert into windows (athlete_id, local_date, dirty, fired, closes_at, touched_at, lane, reason, topic_partition)
     values ($1, '2026-11-20', $2, 1, $3, now(), 'live', 'test', 0)`,
    [athlete, dirty, new Date(closesAt)],
  );

test("records that staging has not applied are waited for", async () => {
  await expect(wait()).rejects.toThrow("5 records to stage");
  await applied(high - 2);
  const error = await wait().catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(NotQuiet);
  expect(error).toMatchObject({ pending: { records: 2, windows: 0, deletions: 0, outbox: 0 } });
});

test("it returns once everything is done, and tells on the way what is not", async () => {
  await applied(high);
  await window("anna", 2, "2999-01-01T00:00:00Z");
  const told: number[] = [];
  const quiet = waitForQuiet(waiting, {
    timeout: 20_000,
    everyMs: 20,
    onProgress: (pending) => told.push(pending.windows),
  });
  await expect.poll(() => told.length, { timeout: 10_000 }).toBeGreaterThan(0);
  await db.query(`update windows set fired = dirty`);
  expect(await quiet).toEqual({ records: 0, windows: 0, history: 0, deletions: 0, outbox: 0 });
  expect(told[0]).toBe(1);
});

test("a connection that is ended while it looks does not end the wait", async () => {
  await applied(high);
  const away: unknown[] = [];
  const blocker = new Client({ connectionString: here.databaseUrl });
  await blocker.connect();
  try {
    await blocker.query("begin; lock table windows in access exclusive mode");
    const quiet = waitForQuiet(waiting, { timeout: 60_000, everyMs: 20, onAway: (error) => away.push(error) });
    const ended = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%from windows%'`;
    await expect.poll(async () => (await db.query(ended)).length, { timeout: 20_000 }).toBeGreaterThan(0);
    await expect.poll(() => away.length, { timeout: 20_000 }).toBeGreaterThan(0);
    await blocker.query("rollback");
    expect(await quiet).toMatchObject({ records: 0, windows: 0 });
  } finally {
    await blocker.end();
  }
});

test("a day past its close that no pane has closed is under way, an open day without changes is not", async () => {
  await applied(high);
  await window("anna", 1, "2999-01-01T00:00:00Z");
  await expect(wait()).resolves.toBeDefined();
  await db.query(`update windows set closes_at = '2020-01-01'`);
  await expect(wait()).rejects.toThrow("1 window to fire");
});

test("deletions and events are waited for, of one athlete if asked", async () => {
  await applied(high);
  await db.query(
    `insert into sample_tombstones (athlete_id, sample_id, reason, deleted_at) values ('ben', gen_random_uuid(), 'deleted', now())`,
  );
  await db.query(
    `insert into outbox (shard, athlete_id, topic, key) values (1, 'ben', 't', 'ben|x'), (-1, null, 't', 'cleo')`,
  );
  await expect(wait()).rejects.toThrow("1 deletion to find, 2 events to publish");
  await expect(wait("ben")).rejects.toThrow("1 deletion to find, 1 event to publish");
  await expect(wait("cleo")).rejects.toThrow("1 event to publish");
  await expect(wait("anna")).resolves.toBeDefined();
});

const open = async () => ({ db, logInfo, topics, close: async () => undefined });
const run = async (...args: string[]): Promise<string[]> => {
  const lines: string[] = [];
  await positionsCommand({ print: (line) => lines.push(line), open }).parseAsync(args, { from: "user" });
  return lines;
};

test("positions show tells position, lag and state beside the log", async () => {
  await applied(3);
  const [shown] = await showPositions(corner, STAGING_GROUP);
  expect(shown).toMatchObject({
    topic: samples,
    topic_partition: partition,
    position: 3,
    low: 0,
    high,
    lag: high - 3,
    epoch: 1,
  });
  expect((await run("show")).join("\n")).toContain("gave up offset 2 as crashed");
  await sampleGauges(corner);
  expect(await corner.telemetry.metricsText()).toContain(
    `health_sync_lag_records{group="staging",topic="${samples}",role="test"} ${high - 3}`,
  );
});

test("how long history takes is told by stage, and that it is not known yet", async () => {
  await applied(3);
  await sampleGauges({ ...corner, history: historyPace(samples, corner.clock) });
  const text = await corner.telemetry.metricsText();
  expect(text).toContain(`health_sync_backfill_seconds_left{stage="staging",role="test"} -1`);
  expect(text).toContain(`health_sync_backfill_seconds_left{stage="windows",role="test"} 0`);
  expect(text).toContain(`health_sync_backfill_windows{role="test"} 0`);
});

test("positions set without --yes changes nothing and says what it would cost", async () => {
  await applied(3);
  await expect(run("set", "--to", "latest", "--topic", samples)).rejects.toThrow("--yes");
  const lines = await run("set", "--to", "latest", "--topic", samples, "--dry-run");
  expect(lines.join("\n")).toContain(`${high - 3} records will never be applied`);
  expect(await showPositions(corner, STAGING_GROUP)).toMatchObject([{ position: 3 }]);
});

test("positions set moves, forgets fingerprint and crash, and fences whoever still works", async () => {
  await applied(3);
  const before = (await showPositions(corner, STAGING_GROUP))[0];
  await run("set", "--to", "1", "--topic", samples, "--partition", String(partition), "--yes");
  const after = (await showPositions(corner, STAGING_GROUP))[0];
  expect(after).toMatchObject({
    position: 1,
    fingerprint: null,
    crashed_offset: null,
    attempts: 0,
    last_timestamp: null,
  });
  expect(after?.cluster_id).toBe(await logInfo.clusterId());
  const old = { topic: samples, topic_partition: partition, epoch: before?.epoch ?? 0 };
  const to = { position: 4, fingerprint: "f", timestamp: 0, cluster_id: "c", crashed_offset: null };
  await expect(db.transaction((tx) => advance(tx, STAGING_GROUP, old, to))).rejects.toBeInstanceOf(Fenced);
});

test("positions set refuses what makes no sense, in words", async () => {
  await expect(run("set", "--to", "5")).rejects.toThrow("--topic and --partition");
  await expect(run("set", "--to", "99", "--topic", samples, "--partition", "0", "--yes")).rejects.toThrow(
    "outside the log",
  );
  await expect(run("set", "--to", "latest", "--topic", samples, "--partition", "77", "--yes")).rejects.toThrow(
    "no topic partition 77",
  );
});
