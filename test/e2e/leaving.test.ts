import { createHash, randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { avroString } from "../../src/flow/dead-letters.ts";
import { openCorner } from "../support/corner.ts";
import { auditEnvironment } from "../support/audit/environment.ts";
import { readTopics } from "../support/audit/topic-log.ts";
import { heartRate } from "../support/ingest/edge.ts";
import { mintToken } from "../../src/ops/token.ts";
import { createClient } from "../support/service/client.ts";
import { runCommand, type ServiceProcess } from "../support/service/processes.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("leaving");
const corner = await openCorner(here);

/** What nobody may find afterwards: a value, a source's name, and the person's id beside anything. */
const VALUE = 61.803398875;
const NAME = "Canary Watch of Quetzalcoatl";
const CANARY = "canary-7";
const OTHER = "sparrow-7";
type Marks = { value: number; name: string };
const MARKS: Record<string, Marks> = {
  [CANARY]: { value: VALUE, name: NAME },
  [OTHER]: { value: 70.5, name: "Sparrow" },
};

const uuid = (n: number): string => `22222222-2222-4222-8222-${String(n).padStart(12, "0")}`;
const at = (n: number, hoursAgo: number, { value, name }: Marks): Record<string, unknown> => {
  const time = new Date(Date.now() - hoursAgo * 3_600_000 + n * 1000).toISOString();
  return heartRate(n, { uuid: uuid(n), start: time, end: time, value, source: { name } });
};

/** Today and days ago that have closed: yesterday has not, for some hours after midnight. */
const DAYS_AGO = [0, 2, 3, 4, 5];

/** Today and four closed days, a correction, a deletion, a total, and what is refused by sample and by record. */
const batchOf = (athlete: string): { athlete_id: string; body: never } => {
  const marks = MARKS[athlete] as Marks;
  const { name, value } = marks;
  const samples = DAYS_AGO.flatMap((day) => [1, 2, 3].map((n) => at(day * 10 + n, day * 24 + 0.01, marks)));
  const body = {
    batch_id: `batch-${athlete}`,
    time_zone: "Europe/Amsterdam",
    samples: [
      ...samples,
      heartRate(90, { value: 9_999_061.8, source: { name } }),
      { ...at(91, 50, marks), metadata: { HKMetadataKeySyncIdentifier: name, HKMetadataKeySyncVersion: 1 } },
    ],
    deleted: [{ uuid: uuid(1) }, { uuid: uuid(21) }],
    daily: [
      {
        date: new Date(Date.now() - 72 * 3_600_000).toISOString().slice(0, 10),
        type: "HKQuantityTypeIdentifierStepCount",
        value,
        unit: "count",
      },
    ],
  };
  return { athlete_id: athlete, body: body as never };
};

/** Producers that write to a topic directly: under another's key, and bytes that break off. */
const poison = async (): Promise<void> => {
  const topic = corner.topics("samples");
  const chunk = {
    athlete_id: CANARY,
    provider: "apple_health",
    batch_id: "direct",
    chunk: 0,
    received_at: Date.now(),
    batch_time_zone: null,
    series: [],
    deletions: [],
    daily: [],
  };
  const whole = await corner.codec.encode(topic, chunk);
  const producer = corner.kafka.producer();
  await producer.send([
    { topic, key: "somebody-else", value: whole },
    { topic, key: CANARY, value: Buffer.concat([whole.subarray(0, 5), avroString(CANARY), Buffer.from(NAME)]) },
  ]);
  await producer.close();
};

const FILL: Readonly<Record<string, string>> = {
  text: "'x'",
  date: "'2020-01-01'",
  uuid: "gen_random_uuid()",
  boolean: "false",
  jsonb: "'{}'",
  ARRAY: "'{}'",
  bytea: "'\\x00'",
  "timestamp with time zone": "now()",
};

/** One row with these values; columns that need one get something by their type. */
const insertRow = async (table: string, values: Record<string, unknown>): Promise<void> => {
  const needed = await corner.db.query<{ name: string; type: string }>(
    `select column_name as name, data_type as type from information_schema.columns
     where table_schema = 'public' and table_name = $1 and is_nullable = 'NO' and column_default is null and is_identity = 'NO'`,
    [table],
  );
  const names = Object.keys(values);
  const others = needed.filter(({ name }) => !names.includes(name));
  const filled = others.map(({ type }) => FILL[type] ?? "1");
  await corner.db.query(
    `insert into "${table}" (${[...names, ...others.map(({ name }) => name)].join(", ")})
     values (${[...names.map((_, n) => `$${n + 1}`), ...filled].join(", ")})`,
    Object.values(values),
  );
};

/** What no stage writes in this run: a session with its stream, an edit, facts of a day. */
const byHand = async (athlete_id: string): Promise<void> => {
  const session_id = randomUUID();
  const object_key = `sleep_streams/athlete=a_${athlete_id}/month=2020-01/${session_id}.g1.0123456789abcdef.parquet`;
  await corner.objects.put(object_key, Buffer.from(NAME));
  await insertRow("sleep_sessions", { session_id, athlete_id, source: NAME, kind: "main", avg_hr: VALUE });
  await insertRow("sleep_streams", { session_id, athlete_id, object_key });
  await insertRow("metric_edits", { athlete_id, after: JSON.stringify({ value: VALUE, note: NAME }) });
  await insertRow("day_facts", { athlete_id, facts: JSON.stringify({ value: VALUE }) });
  await insertRow("object_intents", { object_key: `${object_key}.old`, athlete_id, reason: "superseded" });
};

const tables = async (): Promise<string[]> => {
  const rows = await corner.db.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  return rows.map(({ name }) => name);
};

/** Every row of every table as text, bytes included, that holds something of the person. */
const inPostgres = async (): Promise<string[]> => {
  const found: string[] = [];
  for (const table of await tables()) {
    const rows = await corner.db.query<{ text: string }>(`select t::text as text from "${table}" t`);
    for (const { text } of rows) {
      const hex = [NAME, String(VALUE), CANARY].map((canary) => Buffer.from(canary).toString("hex"));
      if (
        text.includes(NAME) ||
        text.includes(String(VALUE)) ||
        text.includes(CANARY) ||
        hex.some((h) => text.includes(h))
      )
        found.push(`${table}: ${text.slice(0, 200)}`);
    }
  }
  return found;
};

/** Tables of athletes in which nothing of the canary stands: what is not there cannot be seen to go. */
const unseen = async (): Promise<string[]> => {
  const named = await corner.db.query<{ name: string }>(
    `select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'athlete_id'`,
  );
  const there = await tables();
  const seen = await inPostgres();
  return named
    .map(({ name }) => name)
    .filter((name) => there.includes(name) && name !== "outbox" && !seen.some((line) => line.startsWith(`${name}:`)));
};

const objectKeys = async (): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of corner.objects.list("")) keys.push(key);
  return keys.toSorted();
};

/** The newest record per key, as a consumer keeps it. */
const latest = async (): Promise<Map<string, unknown>> => {
  const topics = await readTopics(auditEnvironment(here.env), ["metrics", "sleep-sessions", "day-partitions"]);
  return new Map(
    [...topics].flatMap(([topic, records]) => records.map((r) => [`${topic} ${r.key}`, r.value] as const)),
  );
};

const fingerprint = async (athlete: string): Promise<string> => {
  const hash = createHash("sha256");
  for (const table of (await tables()).toSorted()) {
    const rows = await corner.db.query<{ text: string }>(
      `select t::text as text from "${table}" t where position($1 in t::text) > 0 order by 1`,
      [athlete],
    );
    for (const { text } of rows) hash.update(text);
  }
  for (const key of await objectKeys()) if (key.includes(athlete)) hash.update(key);
  return hash.digest("hex");
};

/** Headers of answers whose bodies hold the canary, what a refusal says, and the Prometheus figures. */
const headersOfReading = async (service: Service): Promise<string[]> => {
  const from = new Date(Date.now() - 6 * 86_400_000).toISOString().slice(0, 10);
  const ask = async (path: string, init: RequestInit = {}): Promise<[string, string]> => {
    const headers = { authorization: `Bearer ${service.token}`, "content-type": "application/json" };
    const answer = await fetch(service.url + path, { ...init, headers });
    return [JSON.stringify([...answer.headers]), await answer.text()];
  };
  const [headers, body] = await ask(`/v1/athletes/${CANARY}/samples?metric=heart_rate&from=${from}`);
  expect(body).toContain(NAME);
  const [today] = await ask(`/v1/athletes/${CANARY}/today`);
  const [archive] = await ask(`/v1/athletes/${CANARY}/export?format=csv`);
  const bad = `{"samples":[],"anchor":{"${NAME}":${VALUE}}`;
  const refused = await ask(`/v1/athletes/${CANARY}/batches`, { method: "POST", body: bad });
  const [, figures] = await ask("/metrics");
  return [headers, today, archive, ...refused, figures];
};

const quietly = async (service: Service): Promise<ServiceProcess> => {
  const worker = service.worker();
  await worker.event("worker.ready");
  await service.wait();
  return worker;
};

test("after an erasure nothing of the person is found in any store, and no log ever told of a value or a name", async () => {
  const service = await openService(here);
  try {
    for (const athlete of [OTHER, CANARY]) await service.client.send(batchOf(athlete));
    await poison();
    const worker = await quietly(service);
    const told = await headersOfReading(service);
    await byHand(CANARY);
    for (const table of await unseen()) await insertRow(table, { athlete_id: CANARY });
    expect(await unseen()).toEqual([]);
    expect((await objectKeys()).filter((key) => key.includes(CANARY)).length).toBeGreaterThan(3);
    expect(
      [...(await latest())].filter(([key, value]) => key.includes(CANARY) && value !== null).length,
    ).toBeGreaterThan(3);
    expect((await corner.db.query(`select from dead_letters where athlete_id is null`)).length).toBe(2);
    const other = await fingerprint(OTHER);

    // Killed on the way, it is finished by running it again.
    for (const step of ["erase.rows", "erase.committed"]) {
      const killed = runCommand(["erase", CANARY, "--yes"], { ...service.env, FAILPOINT: step });
      await expect(killed).rejects.toThrow("exited null");
    }
    const report = JSON.parse(await service.command("erase", CANARY, "--yes", "--json")) as Record<string, unknown>;
    await service.wait();

    const after = (await inPostgres()).filter((line) => !/^athletes: \(canary-7,\d+,\[\],\{\},\{\},/.test(line));
    expect(after).toEqual([]);
    expect((await objectKeys()).filter((key) => key.includes(CANARY))).toEqual([]);
    expect([...(await latest())].filter(([key, value]) => key.includes(CANARY) && value !== null)).toEqual([]);
    expect(await fingerprint(OTHER)).toBe(other);
    expect(report).toMatchObject({ athlete_id: CANARY, dry_run: false });

    // What comes again from before the erasure, as a replay would bring it, stays out.
    await worker.stop();
    await corner.db.query(`delete from consumer_offsets`);
    const again = await quietly(service);
    const late = (await inPostgres()).filter((line) => !line.startsWith("athletes: "));
    expect(late).toEqual([]);
    await again.stop();
    // The token of before is of no use any more; one of now begins anew.
    await expect(service.client.send(batchOf(CANARY))).rejects.toThrow("answers 410");
    const fresh = await mintToken({ secret: here.env.AUTH_SECRET, athletes: [CANARY], scopes: ["ingest"], ttl: 600 });
    const back = createClient(() => service.url, fresh);
    await back.send(batchOf(CANARY));
    const last = await quietly(service);
    expect(await corner.db.query(`select from health_streams where athlete_id = $1`, [CANARY])).toHaveLength(4);
    await last.stop();
    const sinks = [worker.wholeLog(), again.wholeLog(), service.edgeLog(), ...told].join("\n");
    for (const sign of ["applied", "http_request", "health_sync_records_total"]) expect(sinks).toContain(sign);
    for (const canary of [NAME, "Quetzalcoatl", String(VALUE)]) expect(sinks).not.toContain(canary);
  } finally {
    await service.close();
  }
}, 120_000);
