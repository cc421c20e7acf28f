import { afterAll, beforeEach, expect, test } from "vitest";
import type { Sample } from "../../src/domain/sample.ts";
import { topicNames } from "../../src/flow/topics.ts";
import { declaredTopics } from "../../src/io/avro-declared.ts";
import { ERASE_STEPS, eraseAthlete, planErase, type EraseDeps } from "../../src/ops/erase.ts";
import { sweepErased } from "../../src/ops/erase-objects.ts";
import { avroString } from "../../src/flow/dead-letters.ts";
import { PANE_STEPS } from "../../src/windows/commit.ts";
import { isolated } from "../support/stack.ts";
import { clear, openBench, pointedKeys, quiesce, storedKeys } from "../support/windows/bench.ts";
import { HOUR, at, heart, night, steps } from "../support/windows/samples.ts";

const here = await isolated("erase");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(async () => {
  await clear(bench);
  await bench.db.query("truncate dead_letters, ingest_batches, day_facts, metric_edits, sleep_sessions, sleep_streams");
});

const DAY = "2026-11-20";
const CLOSED = at("2026-11-21T12:00:00Z");
const deps = (onStep: EraseDeps["onStep"] = () => undefined): EraseDeps => ({
  db: bench.db,
  objects: bench.objects,
  clock: bench.deps.clock,
  topic: topicNames(),
  declared: declaredTopics(),
  onStep,
});

const tables = async (): Promise<string[]> => {
  const rows = await bench.db.query<{ name: string }>(
    `select c.table_name as name from information_schema.columns c
     join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'public' and c.column_name = 'athlete_id' and t.table_type = 'BASE TABLE' order by 1`,
  );
  return rows.map(({ name }) => name);
};

/** What each table still holds of the athlete; tombstones that wait in the outbox apart. */
const left = async (athlete = "anna"): Promise<Record<string, number>> => {
  const found: Record<string, number> = {};
  for (const table of await tables()) {
    const [row] = await bench.db.query<{ n: number }>(
      `select count(*) as n from ${table} t where athlete_id = $1 ${table === "outbox" ? "and value is not null" : ""}`,
      [athlete],
    );
    if ((row?.n ?? 0) > 0) found[table] = row?.n ?? 0;
  }
  return found;
};

const letter = (id: string, athlete: string | null, payload: Buffer): Promise<unknown[]> =>
  bench.db.query(
    `insert into dead_letters (id, athlete_id, reason, detail, content_type, payload, origin, attempts, first_seen_at)
     values ($1, $2, 'bad_frame', '', 'x', $3, '{}', 1, now())`,
    [id, athlete, payload],
  );
const letters = () => bench.db.query("select id from dead_letters order by id");
const ids = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [string, string, string];

/** A closed day with an object and metrics, and an open one in staging. */
const live = async (athlete: string): Promise<void> => {
  const of = { athlete_id: athlete };
  await bench.stage(night(DAY).map((sample) => ({ ...sample, ...of })));
  await bench.stage([steps("2026-11-20T09:00:00Z", 900, of)]);
  bench.now = CLOSED;
  await quiesce(bench);
  await bench.stage([heart("2026-11-21T11:00:00Z", of)]);
};

test("nothing of a person is left in any table or object, and everything of the others", async () => {
  await live("ben");
  bench.now = at("2026-11-20T12:00:00Z");
  await live("anna");
  await letter(ids[0], "anna", Buffer.from("x"));
  await letter(ids[1], null, Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), avroString("anna"), Buffer.from("57")]));
  await letter(ids[2], null, avroString("annabel"));
  const others = { rows: await left("ben"), objects: (await storedKeys(bench)).filter((key) => key.includes("a_ben")) };
  expect(Object.keys(await left())).toEqual(
    expect.arrayContaining(["athlete_metrics", "health_samples_staging", "health_streams", "windows", "outbox"]),
  );
  const plan = await planErase(deps(), "anna");
  const report = await eraseAthlete(deps(), "anna");
  expect(await left()).toEqual({ athletes: 1 });
  expect((await storedKeys(bench)).filter((key) => key.includes("a_anna"))).toEqual([]);
  expect(await letters()).toEqual([{ id: ids[2] }]);
  expect(await left("ben")).toEqual(others.rows);
  expect(await storedKeys(bench)).toEqual(others.objects);
  expect(
    await bench.db.query(`select zones, zones_seen, erased_before from athletes where athlete_id = 'anna'`),
  ).toEqual([{ zones: [], zones_seen: [], erased_before: bench.now }]);
  expect(report.removed).toEqual(plan.removed);
  expect(report.removed).toMatchObject({ objects: 1, rows: { dead_letters: 2, health_streams: 1 } });
  expect(plan).toMatchObject({ dry_run: true, erased_before: null });
  expect(report).toMatchObject({ dry_run: false, erased_before: new Date(bench.now).toISOString() });
});

test("every table that names an athlete is erased from, the ones of tomorrow too", async () => {
  await bench.db.query(`create table notes_of_tomorrow (athlete_id text, note text)`);
  try {
    await bench.db.query(`insert into notes_of_tomorrow values ('anna', 'canary'), ('ben', 'stays')`);
    const { removed } = await eraseAthlete(deps(), "anna");
    expect(Object.keys(removed.rows).toSorted()).toEqual((await tables()).filter((name) => name !== "athletes"));
    expect(await bench.db.query(`select note from notes_of_tomorrow`)).toEqual([{ note: "stays" }]);
  } finally {
    await bench.db.query(`drop table notes_of_tomorrow`);
  }
});

test("every key that a compacted topic may hold gets a tombstone with a newer revision, unsent ones too", async () => {
  await live("anna");
  const events = await bench.db.query<{ topic: string; key: string }>(`select distinct topic, key from outbox`);
  await bench.db.query(`delete from outbox where topic = 'health.metrics.v1'`);
  await bench.db.query(`insert into outbox (shard, athlete_id, topic, key, headers)
    values (0, 'anna', 'health.metrics.v1', 'anna|2026-01-01|steps|derived', '{"revision": "1"}')`);
  const [{ revision } = { revision: 0 }] = await bench.db.query<{ revision: number }>(
    `select last_value as revision from revisions`,
  );
  const { removed } = await eraseAthlete(deps(), "anna");
  const sent = await bench.db.query<{ topic: string; key: string; value: unknown; revision: number; shards: number }>(
    `select topic, key, value, (headers->>'revision')::int as revision from outbox`,
  );
  expect(sent.map(({ topic, key }) => `${topic} ${key}`).toSorted()).toEqual(
    [...events, { topic: "health.metrics.v1", key: "anna|2026-01-01|steps|derived" }]
      .map(({ topic, key }) => `${topic} ${key}`)
      .toSorted(),
  );
  expect(sent.every((event) => event.value === null && event.revision > revision)).toBe(true);
  expect(new Set(sent.map((event) => event.revision)).size).toBe(sent.length);
  expect(Object.values(removed.tombstones).reduce((sum, n) => sum + n, 0)).toBe(sent.length);
});

test.each(ERASE_STEPS)("killed at %s, the erasure is finished by running it again", async (step) => {
  await live("anna");
  const killed = eraseAthlete(
    deps((reached) => {
      if (reached === step) throw new Error(`killed at ${step}`);
    }),
    "anna",
  );
  await expect(killed).rejects.toThrow(step);
  await eraseAthlete(deps(), "anna");
  expect(await left()).toEqual({ athletes: 1 });
  expect(await storedKeys(bench)).toEqual([]);
});

test("killed behind its commit, the erasure is finished by the worker", async () => {
  await live("anna");
  const killed = eraseAthlete(
    deps((reached) => {
      if (reached === "erase.committed") throw new Error("killed");
    }),
    "anna",
  );
  await expect(killed).rejects.toThrow("killed");
  expect(await storedKeys(bench)).toHaveLength(1);
  await sweepErased(deps(), HOUR);
  expect(await storedKeys(bench)).toEqual([]);
});

const BEFORE_THE_LOCK = PANE_STEPS.slice(0, PANE_STEPS.indexOf("pane.checked"));

test.each(BEFORE_THE_LOCK)("a pane under way at %s brings nothing back", async (step) => {
  await bench.stage(night(DAY));
  await bench.settle();
  bench.now = CLOSED;
  let erased = false;
  bench.onStep = async (reached) => {
    if (reached !== step || erased) return;
    erased = true;
    await eraseAthlete(deps(), "anna");
  };
  await bench.settle();
  expect(erased).toBe(true);
  // What the pane had written is noted; a little later it goes without the sweeper's grace.
  bench.now += HOUR;
  await sweepErased(deps(), 8 * 24 * HOUR);
  expect(await left()).toEqual({ athletes: 1 });
  expect(await storedKeys(bench)).toEqual([]);
});

test("a deletion that is being searched for dirties no day of somebody who was erased meanwhile", async () => {
  const [row] = night(DAY);
  await bench.stage(night(DAY));
  bench.now = CLOSED;
  await quiesce(bench);
  await bench.delete([(row as Sample).sample_id]);
  const { objects } = bench.deps;
  let erased = false;
  const get = async (key: string): Promise<Uint8Array> => {
    const body = await objects.get(key);
    if (!erased) {
      erased = true;
      await eraseAthlete(deps(), "anna");
    }
    return body;
  };
  bench.deps.objects = { ...objects, get };
  await bench.settle();
  bench.deps.objects = objects;
  expect(erased).toBe(true);
  expect(await left()).toEqual({ athletes: 1 });
});

test("a person who comes back keeps what came after, and what the worker sweeps is not theirs", async () => {
  await live("anna");
  await eraseAthlete(deps(), "anna");
  bench.now += HOUR;
  await bench.stage([heart("2026-11-20T10:00:00Z", { name: "new", received_at: bench.now })]);
  await quiesce(bench);
  const keys = await pointedKeys(bench);
  expect(keys).toHaveLength(1);
  await sweepErased(deps(), 8 * 24 * HOUR);
  expect(await storedKeys(bench)).toEqual(keys);
});

test("the report names every topic and until when it can hold data", async () => {
  const { still_held } = await eraseAthlete(deps(), "nobody");
  const days = Object.fromEntries(
    still_held.map(({ topic, until }) => [topic, (Date.parse(until) - bench.now) / (24 * HOUR)]),
  );
  expect(days).toMatchObject({ "health.samples.v1": 35, "health.deadletter.v1": 35, "health.metrics.v1": 2 });
  expect(Object.keys(days)).toEqual(declaredTopics().map(({ name }) => name));
});
