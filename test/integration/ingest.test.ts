import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createCodec } from "../../src/io/avro-codec.ts";
import { declaredTopics } from "../../src/io/avro-declared.ts";
import { createKafka } from "../../src/io/kafka-client.ts";
import { openDatabase } from "../../src/io/postgres.ts";
import { createRegistry, RegistryAway } from "../../src/io/registry.ts";
import { auditEnvironment } from "../support/audit/environment.ts";
import { readTopics } from "../support/audit/topic-log.ts";
import { openCorner } from "../support/corner.ts";
import { heartRate, listening, openIngest, post } from "../support/ingest/edge.ts";
import { makeMember, until } from "../support/kafka-member.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("ingest");
const corner = await openCorner(here);
const { kafka, db, codec, topics } = corner;
const producer = kafka.producer();
beforeAll(() => corner.applyTopics());
afterAll(() => producer.close());

const isTransient = (error: unknown): boolean => error instanceof RegistryAway;
const deps = { producer, codec, topics, db, lookup_ms: 5000, isTransient };
const log = listening();
const edge = await openIngest(deps, { telemetry: log.telemetry });
const PATH = "/v1/athletes/a1/batches";

type Values = Record<string, unknown>[];
const valuesOf = async (name: string): Promise<Values> =>
  ((await readTopics(auditEnvironment(here.env), [name])).get(name) ?? []).map(({ value }) => value ?? {});
const ofBatch = (values: Values, batchId: unknown): Values => values.filter((value) => value["batch_id"] === batchId);
type Chunk = { series: { samples: { sample_id: string; value: number }[] }[]; deletions: unknown[] };

test("a 202 means that every accepted sample, dead letter and the receipt stand in Kafka", async () => {
  const samples = [heartRate(1), heartRate(2, { value: "57" }), heartRate(3)];
  const daily = [{ date: "2026-11-20", type: "HKQuantityTypeIdentifierStepCount", value: 12_034, unit: "count" }];
  const body = {
    time_zone: "Europe/Amsterdam",
    samples,
    deleted: [{ uuid: samples[0]?.["uuid"] }],
    daily,
    anchor: "x1",
  };
  const answer = await edge.ask(PATH, post(body));
  expect(answer.status).toBe(202);
  expect(answer.body).toMatchObject({ state: "accepted", received: 3, accepted: 2, deletions: 1 });
  const { batch_id } = answer.body;
  const [chunk] = ofBatch(await valuesOf("samples"), batch_id) as [Chunk & Record<string, unknown>];
  expect(chunk).toMatchObject({ athlete_id: "a1", batch_time_zone: "Europe/Amsterdam", chunk: 0 });
  const sent = chunk.series.flatMap((series) => series.samples.map(({ sample_id }) => sample_id));
  expect(sent).toEqual([samples[0]?.["uuid"], samples[2]?.["uuid"]]);
  expect(chunk.deletions).toHaveLength(1);
  const [letter] = (await valuesOf("deadletter")) as [{ payload: Buffer } & Record<string, unknown>];
  expect(letter).toMatchObject({ reason: "bad_value", path: "samples[1].value", origin: { batch_id, index: 1 } });
  expect(letter.payload.toString()).toBe(JSON.stringify(samples[1]));
  const [receipt] = ofBatch(await valuesOf("batches"), batch_id) as [Record<string, unknown>];
  expect(receipt).toMatchObject({ received: 3, accepted: 2, anchor: "x1", rejected: [{ path: "samples[1].value" }] });
  expect((receipt["written"] as { topic: string }[]).map(({ topic }) => topic).toSorted()).toEqual(
    [topics("deadletter"), topics("samples")].toSorted(),
  );
});

test("records are keyed by athlete and carry batch_id and traceparent", async () => {
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  await edge.ask(PATH, post({ batch_id: "traced", samples: [heartRate(10)] }, { traceparent }));
  const member = makeMember(kafka, { group: `${here.prefix}headers`, topics: [topics("samples"), topics("batches")] });
  member.on.assigned = (partitions) => {
    for (const partition of partitions) member.seek(partition, 0);
    member.resume(partitions);
  };
  const next = new Map<string, number>();
  member.on.batch = (batch) => {
    member.seek(batch, (batch.records.at(-1)?.offset ?? -1) + 1);
    next.set(batch.topic, batch.records.length);
  };
  await member.begin();
  const traced = () =>
    member.batches.flatMap(({ records }) => records).filter(({ headers }) => headers["batch_id"] === "traced");
  await until("the chunk and the receipt to be read", () => new Set(traced().map(({ topic }) => topic)).size === 2);
  await member.stop();
  for (const record of traced()) {
    expect(record.key?.toString()).toBe("a1");
    expect(record.headers).toEqual({ batch_id: "traced", traceparent });
  }
});

test("a batch of nothing is accepted with its receipt, and a large one is split", async () => {
  const empty = await edge.ask(PATH, post({ samples: [] }));
  expect(empty).toMatchObject({ status: 202, body: { received: 0, accepted: 0 } });
  const many = Array.from({ length: 1201 }, (_, index) => heartRate(1000 + index));
  const large = await edge.ask("/v1/athletes/a2/batches", post({ samples: many }));
  expect(large).toMatchObject({ status: 202, body: { accepted: 1201 } });
  const chunks = ofBatch(await valuesOf("samples"), large.body["batch_id"]) as Chunk[];
  const sizes = chunks.map(({ series }) => series.reduce((sum, { samples }) => sum + samples.length, 0));
  expect(sizes).toEqual([500, 500, 201]);
  expect(ofBatch(await valuesOf("batches"), empty.body["batch_id"])).toHaveLength(1);
});

test("the same batch again is the same batch; a known id with another body is a conflict", async () => {
  const body = { batch_id: randomUUID(), samples: [heartRate(20)] };
  const hash = async (): Promise<unknown> => ofBatch(await valuesOf("batches"), body.batch_id)[0]?.["body_hash"];
  const first = await edge.ask(PATH, post(body));
  await db.query(`insert into ingest_batches values ('a1', $1, now(), $2, null, 1, 1, 0, '[]', '{}', '[]')`, [
    body.batch_id,
    await hash(),
  ]);
  expect((await edge.ask(PATH, post(body))).body).toEqual(first.body);
  expect(ofBatch(await valuesOf("batches"), body.batch_id)).toHaveLength(2);
  const other = await edge.ask(PATH, post({ ...body, samples: [heartRate(21)] }));
  expect(other).toMatchObject({ status: 409, body: { errors: [{ path: "batch_id" }] } });
  expect(ofBatch(await valuesOf("batches"), body.batch_id)).toHaveLength(2);
});

test("however many batches come at once, each is checked against those that came before", async () => {
  await db.query(`insert into ingest_batches values ('a1', 'taken', now(), 'ff', null, 1, 1, 0, '[]', '{}', '[]')`);
  let asked = 0;
  const together = Promise.withResolvers<void>();
  const slow = {
    ...db,
    query: async <Row>(text: string, params?: readonly unknown[]): Promise<Row[]> => {
      if (++asked === 20) together.resolve();
      await together.promise;
      return db.query<Row>(text, params);
    },
  };
  const many = await openIngest({ ...deps, db: slow });
  const body = post({ batch_id: "taken", samples: [heartRate(22)] });
  const answers = await Promise.all(Array.from({ length: 20 }, () => many.ask(PATH, body)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([409]));
});

test("a receipt is not found before it was consumed, accepted after, and applied once all that it wrote was passed", async () => {
  const path = `${PATH}/b-1`;
  const early = await edge.ask(path);
  expect(early.status).toBe(404);
  expect(early.headers.get("retry-after")).toBe("1");
  const written = [0, 1].map((topic_partition) => ({ topic: topics("samples"), topic_partition, last_offset: 7 }));
  await db.query(
    `insert into ingest_batches values ('a1', 'b-1', '2026-11-21T06:00:00Z', 'ff', 'x1', 2, 1, 0, $1, '{"T":1}', $2)`,
    [
      JSON.stringify([{ index: 0, uuid: null, reason: "bad_uuid", path: "samples[0].uuid", detail: "d" }]),
      JSON.stringify(written),
    ],
  );
  const stored = {
    batch_id: "b-1",
    received: 2,
    accepted: 1,
    ignored: { T: 1 },
    anchor: "x1",
    received_at: "2026-11-21T06:00:00.000Z",
  };
  expect(await edge.ask(path)).toMatchObject({ status: 200, body: { ...stored, state: "accepted" } });
  const place = (partition: number, position: number) =>
    db.query(
      `insert into consumer_offsets (group_id, topic, topic_partition, position) values ('staging', $1, $2, $3)
       on conflict (group_id, topic, topic_partition) do update set position = excluded.position`,
      [topics("samples"), partition, position],
    );
  await place(0, 8);
  await place(1, 7);
  expect((await edge.ask(path)).body["state"]).toBe("accepted");
  await place(1, 8);
  expect((await edge.ask(path)).body["state"]).toBe("applied");
  expect((await edge.ask("/v1/athletes/a2/batches/b-1")).status).toBe(404);
});

test("a gzip body is read like any other", async () => {
  const body = { samples: [heartRate(30)] };
  const answer = await edge.ask(PATH, post(gzipSync(JSON.stringify(body)), { "content-encoding": "gzip" }));
  expect(answer).toMatchObject({ status: 202, body: { accepted: 1 } });
});

const unused = "127.0.0.1:1";

test("Kafka away is a 503 that says when to come back, never a 202", async () => {
  const dead = createKafka({ brokers: [unused], clientId: "dead" }).producer({ giveUpMs: 3000 });
  const lonely = await openIngest({ ...deps, producer: dead });
  const answer = await lonely.ask(PATH, post({ samples: [heartRate(40)] }));
  expect(answer).toMatchObject({ status: 503, body: { title: "Service Unavailable", status: 503 } });
  expect(answer.headers.get("retry-after")).toBe("2");
  await dead.close();
});

test("the registry away is a 503 while its ids are not known", async () => {
  const blind = createCodec(createRegistry(`http://${unused}`), declaredTopics({ prefix: here.prefix }));
  const lonely = await openIngest({ ...deps, codec: blind });
  expect((await lonely.ask(PATH, post({ samples: [heartRate(41)] }))).status).toBe(503);
});

test("Postgres away: batches are taken, receipts are a 503", async () => {
  const gone = openDatabase({ url: `postgres://postgres@${unused}/none` });
  const lonely = await openIngest({ ...deps, db: gone, lookup_ms: 200 });
  expect((await lonely.ask(PATH, post({ batch_id: "no-db", samples: [heartRate(42)] }))).status).toBe(202);
  expect((await lonely.ask(`${PATH}/no-db`)).status).toBe(503);
  await gone.close();
});

test("more batches than may wait for Kafka are turned away", async () => {
  const full = await openIngest({ ...deps, max_in_flight: 0 });
  expect((await full.ask(PATH, post({ samples: [] }))).status).toBe(503);
});

test("the log has a line a request, without athletes or health values", async () => {
  await edge.ask("/v1/athletes/very-private/batches", post({ samples: [heartRate(50, { value: 61.25 })] }));
  const text = log.lines.join("\n");
  expect(text).toContain("/v1/athletes/:athlete_id/batches");
  expect(text).not.toMatch(/very-private|61\.25|Watch/);
});
