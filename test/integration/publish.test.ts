import { beforeAll, expect, test } from "vitest";
import type { DeadLetter } from "../../src/flow/effects.ts";
import { deadLetterEvent, enqueue, shardOf } from "../../src/flow/outbox.ts";
import type { OnStep } from "../../src/flow/ports.ts";
import { pause } from "../../src/flow/retry.ts";
import { RELAY_STEPS, type RelayDeps } from "../../src/publish/lane.ts";
import { createRelay, type Relay } from "../../src/publish/relay.ts";
import { auditEnvironment } from "../support/audit/environment.ts";
import { readTopics } from "../support/audit/topic-log.ts";
import { openCorner } from "../support/corner.ts";
import { randomOf } from "../support/random.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("publish");
const corner = await openCorner(here);
const { db, topics, kafka } = corner;
beforeAll(() => corner.applyTopics());

type Row = { athlete_id: string; revision: number; value: number };

const event = ({ athlete_id, revision, value }: Row) => ({
  topic: topics("metrics"),
  athlete_id,
  key: `${athlete_id}|2026-11-20|steps|derived`,
  value: {
    athlete_id,
    date: 20_777,
    metric: "steps",
    source: "derived",
    value,
    unit: "count",
    locked: false,
    synced_value: value,
    is_final: true,
    pane: "late",
    method: "steps_merge/1",
    input_hash: "x",
    revision,
    updated_at: 1_795_000_000_000,
    provenance: null,
  },
});
const removal = ({ athlete_id, revision }: { athlete_id: string; revision: number }) => ({
  topic: topics("metrics"),
  athlete_id,
  key: `${athlete_id}|2026-11-20|steps|derived`,
  value: null,
  headers: { revision: String(revision) },
});

const put = (...events: Parameters<typeof enqueue>[1][number][]): Promise<void> =>
  db.transaction((tx) => enqueue(tx, events));

type Over = { onStep?: OnStep; leaseMs?: number; openTransactional?: RelayDeps["openTransactional"] };
const relay = (owner: string, over: Over = {}): Relay =>
  createRelay({
    ...corner,
    openTransactional: (id) => kafka.transactional(id),
    openPlain: async () => kafka.producer(),
    onStep: () => undefined,
    owner,
    prefix: here.prefix,
    leaseMs: 10_000,
    pollMs: 50,
    ...over,
  });

type Seen = { athlete: string; revision: number; value: unknown };
const records = async (): Promise<Seen[]> => {
  const all = (await readTopics(auditEnvironment(here.env), ["metrics"])).get("metrics") ?? [];
  return all.map(({ key, value, revision_header }) => ({
    athlete: key?.split("|")[0] ?? "",
    revision: revision_header ?? Number(value?.["revision"]),
    value: value?.["value"] ?? null,
  }));
};
/** What compaction leaves. */
const lastPerAthlete = async (): Promise<Map<string, number>> =>
  new Map((await records()).map(({ athlete, revision }) => [athlete, revision]));
const left = async (): Promise<number> => {
  const [row] = await db.query<{ n: number }>(`select count(*) as n from outbox`);
  return row?.n ?? -1;
};
const owners = async (): Promise<(string | null)[]> => {
  const rows = await db.query<{ owner: string | null }>(
    `select owner from outbox_shards where shard >= 0 order by shard`,
  );
  return rows.map(({ owner }) => owner);
};

/** Stops whoever passes the step first, until it is let go. */
const gate = (step: string): { onStep: OnStep; reached: Promise<void>; open: () => void } => {
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

test("events leave in the order of their commits, tombstones with their revision, and the outbox is empty", async () => {
  await put(event({ athlete_id: "anna", revision: 1, value: 10 }), event({ athlete_id: "ben", revision: 2, value: 5 }));
  await put(event({ athlete_id: "anna", revision: 3, value: 11 }), removal({ athlete_id: "ben", revision: 4 }));
  const steps: string[] = [];
  const one = relay("one", { onStep: (step) => void steps.push(step) });
  expect(await one.drainOnce()).toBeGreaterThan(0);
  await one.close();
  expect(await left()).toBe(0);
  expect(new Set(steps)).toEqual(new Set(RELAY_STEPS));
  const seen = await records();
  expect(seen.filter(({ athlete }) => athlete === "anna").map(({ revision }) => revision)).toEqual([1, 3]);
  expect(seen.filter(({ athlete }) => athlete === "ben")).toEqual([
    { athlete: "ben", revision: 2, value: 5 },
    { athlete: "ben", revision: 4, value: null },
  ]);
});

test("dead letters go through the plain lane, bytes and all, outside any transaction", async () => {
  const letter: DeadLetter = {
    id: "00000000-0000-4000-8000-000000000001",
    athlete_id: "anna",
    reason: "bad_frame",
    path: null,
    detail: "not in Confluent framing",
    content_type: "application/octet-stream",
    payload: Uint8Array.of(0, 255, 7),
    origin: { kind: "topic", batch_id: null, index: null, topic: "t", topic_partition: 0, offset: 5 },
    attempts: 0,
    first_seen_at: 1_795_000_000_000,
  };
  await put(deadLetterEvent(topics("deadletter"), letter));
  const one = relay("one");
  await one.drainOnce();
  await one.close();
  const [record] = (await readTopics(auditEnvironment(here.env), ["deadletter"])).get("deadletter") ?? [];
  expect(record?.key).toBe("anna");
  expect(Buffer.from(record?.value?.["payload"] as Uint8Array)).toEqual(Buffer.of(0, 255, 7));
  // A transaction would have left a control record behind.
  const bounds = await corner.logInfo.bounds(topics("deadletter"));
  expect([...bounds.values()].reduce((sum, { low, high }) => sum + high - low, 0)).toBe(1);
});

test("a relay that slept between read and send is fenced: the last record per key is still the newest", async () => {
  const athletes = ["cleo", "dan", "eve", "finn", "gus"];
  await put(...athletes.map((athlete_id) => event({ athlete_id, revision: 10, value: 1 })));
  const asleep = gate("relay.encoded");
  const zombie = relay("zombie", { onStep: asleep.onStep, leaseMs: 300 });
  const woken = zombie.drainOnce();
  await asleep.reached;
  const successor = relay("successor");
  await put(...athletes.map((athlete_id) => event({ athlete_id, revision: 11, value: 2 })));
  await expect.poll(async () => (await successor.drainOnce(), left()), { timeout: 30_000, interval: 200 }).toBe(0);
  expect(new Set(await owners())).toEqual(new Set(["successor"]));
  asleep.open();
  await woken;
  const last = await lastPerAthlete();
  expect(athletes.map((athlete) => last.get(athlete))).toEqual(athletes.map(() => 11));
  await Promise.all([zombie.close(), successor.close()]);
});

test("a relay that slept before it opened its producer reads again, so that it repeats nothing old", async () => {
  await put(event({ athlete_id: "hugo", revision: 20, value: 1 }));
  const asleep = gate("open");
  const late = relay("late", {
    leaseMs: 300,
    openTransactional: async (id) => {
      await asleep.onStep("open");
      return kafka.transactional(id);
    },
  });
  const woken = late.drainOnce();
  await asleep.reached;
  const successor = relay("successor");
  await put(event({ athlete_id: "hugo", revision: 21, value: 2 }));
  await expect.poll(async () => (await successor.drainOnce(), left()), { timeout: 30_000, interval: 200 }).toBe(0);
  asleep.open();
  await woken;
  await put(event({ athlete_id: "hugo", revision: 22, value: 3 }));
  // The late one has fenced the successor, who finds out at its next send, gives the shard up, and takes it again.
  await expect.poll(async () => (await successor.drainOnce(), left()), { timeout: 30_000, interval: 200 }).toBe(0);
  expect((await records()).filter(({ athlete }) => athlete === "hugo").map((r) => r.revision)).toEqual([20, 21, 22]);
  await Promise.all([late.close(), successor.close()]);
});

test("with two relays that take shards from each other at random, every key ends with its newest revision", async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 100_000);
  console.log(`seed ${seed}`);
  const random = randomOf(seed);
  const athletes = Array.from({ length: 12 }, (_, n) => `r${n}`);
  const newest = new Map<string, number>();
  const slow: OnStep = () => pause(random() < 0.2 ? 120 : 0);
  const ending = new AbortController();
  const relays = ["left", "right"].map((owner) => relay(owner, { onStep: slow, leaseMs: 60 }));
  const running = relays.map((one) => one.run(ending.signal));
  for (let revision = 100; revision < 220; revision += 1) {
    const athlete_id = athletes[Math.floor(random() * athletes.length)] as string;
    newest.set(athlete_id, revision);
    await put(random() < 0.2 ? removal({ athlete_id, revision }) : event({ athlete_id, revision, value: revision }));
    if (random() < 0.3) await pause(30);
  }
  ending.abort();
  await Promise.all(running);
  const last = relay("last");
  await expect.poll(async () => (await last.drainOnce(), left()), { timeout: 60_000, interval: 100 }).toBe(0);
  await last.close();
  const published = await lastPerAthlete();
  expect(new Map([...newest.keys()].map((athlete) => [athlete, published.get(athlete)]))).toEqual(newest);
});

test("a row that cannot be encoded stops its shard and no other, and what stands behind it waits", async () => {
  const stuck = "anna";
  const other = Array.from({ length: 50 }, (_, n) => `o${n}`).find((id) => shardOf(id) !== shardOf(stuck)) as string;
  await put({ ...event({ athlete_id: stuck, revision: 300, value: 1 }), value: { nonsense: true } });
  await put(
    event({ athlete_id: stuck, revision: 301, value: 2 }),
    event({ athlete_id: other, revision: 302, value: 3 }),
  );
  const one = relay("one");
  await one.drainOnce();
  const published = await lastPerAthlete();
  expect(published.get(other)).toBe(302);
  expect(published.get(stuck)).toBeLessThan(300);
  expect(await left()).toBe(2);
  expect(await corner.telemetry.metricsText()).toMatch(/health_sync_refused\{part="relay",shard="\d",role="test"\} 1/);
  await db.query(`delete from outbox where value = '{"nonsense": true}'`);
  await expect.poll(async () => (await one.drainOnce(), left()), { timeout: 30_000, interval: 100 }).toBe(0);
  expect((await lastPerAthlete()).get(stuck)).toBe(301);
  await one.close();
});

test("two relays share the shards, and one that leaves hands its own over", async () => {
  const ending = new AbortController();
  const [left_, right] = [new AbortController(), ending];
  const first = relay("first", { leaseMs: 400 }).run(left_.signal);
  await expect.poll(async () => new Set(await owners()), { timeout: 10_000 }).toEqual(new Set(["first"]));
  const second = relay("second", { leaseMs: 400 }).run(right.signal);
  const held = async (owner: string): Promise<number> => (await owners()).filter((one) => one === owner).length;
  await expect.poll(() => held("second"), { timeout: 10_000 }).toBe(4);
  expect(await held("first")).toBe(4);
  left_.abort();
  await first;
  await expect.poll(() => held("second"), { timeout: 10_000 }).toBe(8);
  ending.abort();
  await second;
  expect(new Set(await owners())).toEqual(new Set([null]));
});
