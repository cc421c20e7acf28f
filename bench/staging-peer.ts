import { performance } from "node:perf_hooks";
import registryClient from "@kafkajs/confluent-schema-registry";
import kafkajs from "kafkajs";
import pg from "pg";
import type { SampleChunk } from "../src/domain/sample.ts";
import { registerZstd } from "../src/io/kafka-compression.ts";
import type { Timed } from "./pass.ts";
import { usageOf } from "./measure.ts";
import { type SingleSample, singleSamples } from "./single-samples.ts";

// What a user would write instead of the staging stage: no checks, no units, no zones, no deletions, no positions of its own.
const { KAFKA_BROKERS = "", SCHEMA_REGISTRY_URL = "", DATABASE_URL = "" } = process.env;
const [mode, topic, group, wanted] = process.argv.slice(2);
if (!mode || !topic || !group || !wanted)
  throw new Error("node bench/staging-peer.ts insert|chunks|upsert TOPIC GROUP ROWS");

const COLUMNS = "athlete_id,sample_id,metric,start_at,end_at,value,unit,source,device,tz,local_date,received_at,rev";
const WIDTH = COLUMNS.split(",").length;
const SET = COLUMNS.split(",")
  .slice(2)
  .map((name) => `${name} = excluded.${name}`);
const UPSERT = `on conflict (athlete_id, sample_id) do update set ${SET.join(", ")}`;
/** The JDBC sink's own batch.size. */
const BATCH = 3000;
const MANY = 500;

registerZstd();
const kafka = new kafkajs.Kafka({ brokers: KAFKA_BROKERS.split(","), logLevel: kafkajs.logLevel.ERROR });
const registry = new registryClient.SchemaRegistry({ host: SCHEMA_REGISTRY_URL });
const db = new pg.Client({ connectionString: DATABASE_URL, ...(mode === "upsert" ? { pipeline: true } : {}) });
await db.connect();
const consumer = kafka.consumer({ groupId: group });
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });

type Cells = unknown[];
const cellsOf = (sample: SingleSample): Cells => {
  const [start, end] = [new Date(sample.start_at), new Date(sample.end_at)];
  const { athlete_id, sample_id, type, value, unit, source, device, time_zone } = sample;
  const what = [athlete_id, sample_id, type, start, end, value, unit ?? "", source ?? "", device];
  return [...what, time_zone ?? "Etc/UTC", start.toISOString().slice(0, 10), new Date(sample.received_at), 1];
};

const rowsOf = async (value: Buffer | null): Promise<Cells[]> => {
  const bytes = value ?? Buffer.alloc(0);
  if (mode !== "chunks") return [cellsOf(JSON.parse(bytes.toString()) as SingleSample)];
  return singleSamples((await registry.decode(bytes)) as SampleChunk).map(cellsOf);
};

const placesFrom = (after: number): string =>
  Array.from({ length: WIDTH }, (_cell, at) => `$${after + at + 1}`).join(",");

const insertMany = async (rows: readonly Cells[]): Promise<void> => {
  const places = rows.map((_, n) => `(${placesFrom(n * WIDTH)})`);
  await db.query(`insert into bench_peer (${COLUMNS}) values ${places.join(",")} ${UPSERT}`, rows.flat());
};

/** One prepared statement a row, pipelined, one transaction a batch: what addBatch and executeBatch do. */
const upsertEach = async (rows: readonly Cells[]): Promise<void> => {
  const text = `insert into bench_peer (${COLUMNS}) values (${placesFrom(0)}) ${UPSERT}`;
  const begun = db.query("begin");
  const sent = rows.map((values) => db.query({ name: "upsert", text, values }));
  await Promise.all([begun, ...sent, db.query("commit")]);
};

let done = 0;
let first: { at: number; cpu_s: number } | null = null;
consumer.on(consumer.events.GROUP_JOIN, () => {
  first ??= { at: performance.now(), cpu_s: usageOf(process.pid)?.cpu_s ?? 0 };
});
const finished = Promise.withResolvers<Timed>();
const note = (count: number): void => {
  done += count;
  const usage = usageOf(process.pid) ?? { cpu_s: 0, peak_mb: 0 };
  if (done < Number(wanted) || first === null) return;
  const seconds = (performance.now() - first.at) / 1000;
  finished.resolve({ rows: done, seconds, cpu_s: usage.cpu_s - first.cpu_s, peak_mb: usage.peak_mb });
};

if (mode === "upsert") {
  await consumer.run({
    eachBatch: async (payload) => {
      const rows = (await Promise.all(payload.batch.messages.map(({ value }) => rowsOf(value)))).flat();
      for (let at = 0; at < rows.length; at += BATCH) {
        const some = rows.slice(at, at + BATCH);
        await upsertEach(some);
        await payload.heartbeat();
        note(some.length);
      }
    },
  });
} else {
  let gathered: Cells[] = [];
  await consumer.run({
    eachMessage: async ({ message }) => {
      gathered.push(...(await rowsOf(message.value)));
      if (gathered.length < MANY && done + gathered.length < Number(wanted)) return;
      const rows = gathered;
      gathered = [];
      await insertMany(rows);
      note(rows.length);
    },
  });
}
process.stdout.write(`${JSON.stringify(await finished.promise)}\n`);
await consumer.disconnect();
await db.end();
