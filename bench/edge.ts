import { extname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { connect, type Connections } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { digest, sha256Hex } from "../src/flow/digest.ts";
import type { OutgoingRecord } from "../src/flow/ports.ts";
import { decideBatch } from "../src/ingest/decide.ts";
import { mintToken } from "../src/ops/token.ts";
import { type Spread, spreadOf } from "./figures.ts";
import { type NativeSample, sendings } from "./generator/batches.ts";
import { listening } from "./listening.ts";
import { perfTool } from "./perf-tool.ts";
import { inPlace, type Place, type Say } from "./place.ts";

export type EdgeBench = {
  /** Folder with the jars of Kafka's own producer-perf-test; absent: without it. */
  jars?: string;
  samples: number;
  rounds: number;
  seed: number;
  stack: string | undefined;
  say: Say;
};
export type EdgeRow = { size: number; what: string; samples_s: Spread; cpu_us: Spread; records: number };

export const EDGE = "edge";
const RAW = "same client, encoded before";
const TOOL = "Kafka's producer-perf-test (records of that size)";
const NAIVE = "Fastify + kafkajs, a record a sample";
const SIZES = [1, 100, 1000];
/** Bodies of one sample cost a request each: of those fewer are sent. */
const MOST_BODIES = 2000;
const AT_ONCE = 16;
const ATHLETES = 8;

const here = import.meta.dirname;
const extension = extname(import.meta.filename);

type Body = { athlete: string; text: string; samples: NativeSample[] };
/** Sends one body and resolves once it is acknowledged. */
type Contender = { what: string; send: (body: Body) => Promise<void>; cpu: () => number; topics: readonly string[] };

const bodiesOf = (all: readonly NativeSample[], size: number, count: number): Body[] =>
  Array.from({ length: count }, (_, n) => {
    const samples = Array.from({ length: size }, (_all, at) => all[(n * size + at) % all.length] as NativeSample);
    return { athlete: `bench-${n % ATHLETES}`, samples, text: JSON.stringify({ time_zone: "UTC", samples }) };
  });

const posting =
  (url: string, token: string) =>
  async ({ athlete, text, samples }: Body): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(`${url}/v1/athletes/${athlete}/batches`, { method: "POST", headers, body: text });
    const { accepted } = (await answer.json()) as { accepted?: number };
    if (answer.status !== 202 || accepted !== samples.length) throw new Error(`${url}: ${answer.status}, ${accepted}`);
  };

/** The edge's own chunks, made and encoded before the clock runs. */
const encodedBefore = async ({ codec, topics, clock }: Connections, bodies: readonly Body[]) => {
  const records = new Map<Body, OutgoingRecord[]>();
  for (const body of bodies) {
    const context = { athlete_id: body.athlete, received_at: clock.now(), door: "native", kind: "http" } as const;
    const hash = { ...context, body_hash: sha256Hex(Buffer.from(body.text)) };
    const { chunks } = decideBatch({ time_zone: "UTC", samples: body.samples }, hash, digest);
    const made = chunks.map(async ({ topic, chunk }) => ({
      topic: topics(topic),
      key: body.athlete,
      value: await codec.encode(topics(topic), chunk),
      headers: { batch_id: chunk.batch_id },
    }));
    records.set(body, await Promise.all(made));
  }
  return records;
};

const meanOf = (records: readonly OutgoingRecord[], bodies: readonly Body[]): { bytes: number; samples: number } => ({
  bytes: Math.round(records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0) / records.length),
  samples: bodies.reduce((sum, body) => sum + body.samples.length, 0) / records.length,
});

const sendAll = async (bodies: readonly Body[], send: Contender["send"]): Promise<void> => {
  const queue = bodies.values();
  const drain = async (): Promise<void> => {
    for (const body of queue) await send(body);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, drain));
};

/** Records that stand in the topics: what counts is what Kafka holds, not what was answered. */
const held = async ({ kafka }: Connections, topics: readonly string[]): Promise<number> => {
  let sum = 0;
  for (const topic of topics) for (const { high } of (await kafka.logInfo().bounds(topic)).values()) sum += high;
  return sum;
};

const ROWS_TO_COUNT = ["samples", "sleep", "backfill"] as const;

const measureAll = async ({ env, say }: Place, { samples, rounds, seed, jars }: EdgeBench): Promise<EdgeRow[]> => {
  const rates = { RATE_PER_TOKEN: "1000000", RATE_PER_ATHLETE: "1000000", MAX_IN_FLIGHT: "4096" };
  const edge = await listening([join(here, "..", "src", `main${extension}`), "serve", "--roles", "edge", "--setup"], {
    ...env,
    ...rates,
  });
  const naive = await listening([join(here, `edge-naive${extension}`)], env);
  const connections = connect(readConfig(env), "bench");
  const producer = connections.kafka.producer();
  try {
    const scopes = ["ingest"] as const;
    const token = await mintToken({ secret: env["AUTH_SECRET"] ?? "", athletes: "*", scopes, ttl: 86_400 });
    const firstDate = new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10);
    const clean = sendings({ seed, athletes: 2, days: 2, firstDate }).flatMap(({ body }) => body.samples);
    const known = await taken(clean, connections);
    const ours = ROWS_TO_COUNT.map((name) => connections.topics(name));
    const rows: EdgeRow[] = [];
    for (const size of SIZES) {
      const bodies = bodiesOf(known, size, Math.min(MOST_BODIES, Math.ceil(samples / size)));
      const before = await encodedBefore(connections, bodies);
      const contenders: Contender[] = [
        { what: EDGE, send: posting(edge.url, token), cpu: edge.cpu, topics: ours },
        {
          what: RAW,
          send: async (body) => void (await producer.send(before.get(body) ?? [])),
          cpu: () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
          topics: ours,
        },
        { what: NAIVE, send: posting(naive.url, token), cpu: naive.cpu, topics: [`${env["TOPIC_PREFIX"]}naive`] },
      ];
      say(`bodies of ${size}: ${bodies.length}, ${rounds} rounds`);
      rows.push(...(await interleaved({ contenders, bodies, size, rounds, connections })));
      if (jars === undefined) continue;
      const topic = `${env["TOPIC_PREFIX"]}perf`;
      const run = {
        jars,
        brokers: env["KAFKA_BROKERS"] ?? "",
        topic,
        rounds,
        ...meanOf([...before.values()].flat(), bodies),
      };
      rows.push({ size, what: TOOL, ...(await perfTool(connections, run)) });
    }
    return rows;
  } finally {
    await producer.close();
    for (const child of [edge, naive]) child.stop();
  }
};

/** The generator spoils and deletes some on purpose; here every sample must count with every contender. */
const taken = async (samples: readonly NativeSample[], { clock }: Connections): Promise<NativeSample[]> => {
  const context = {
    athlete_id: "bench",
    received_at: clock.now(),
    door: "native",
    kind: "http",
    body_hash: "",
  } as const;
  const { answer } = decideBatch({ samples: [...samples] }, context, digest);
  const refused = new Set(answer.rejected.map(({ index }) => index));
  return samples.filter((_, index) => !refused.has(index));
};

type Cell = { contenders: Contender[]; bodies: Body[]; size: number; rounds: number; connections: Connections };

const interleaved = async ({ contenders, bodies, size, rounds, connections }: Cell): Promise<EdgeRow[]> => {
  const samples = bodies.length * size;
  const seen = new Map(
    contenders.map(({ what }) => [what, { rates: [] as number[], cpu: [] as number[], records: 0 }]),
  );
  for (const { send } of contenders) await sendAll(bodies.slice(0, AT_ONCE * 4), send);
  for (let round = 0; round < rounds; round += 1) {
    // Each goes first as often as the others.
    const order = contenders.map((_, at) => contenders[(at + round) % contenders.length] as Contender);
    for (const { what, send, cpu, topics } of order) {
      const [stood, busy, started] = [await held(connections, topics), cpu(), performance.now()];
      await sendAll(bodies, send);
      const seconds = (performance.now() - started) / 1000;
      const figures = seen.get(what);
      figures?.rates.push(samples / seconds);
      figures?.cpu.push(((cpu() - busy) * 1e6) / samples);
      if (figures) figures.records = (await held(connections, topics)) - stood;
    }
  }
  return [...seen].map(([what, { rates, cpu, records }]) => ({
    size,
    what,
    samples_s: spreadOf(rates),
    cpu_us: spreadOf(cpu),
    records,
  }));
};

/** B1: JSON, checked, Avro, acknowledged by all replicas, in bodies of 1, 100 and 1,000 samples. Rounds are interleaved. */
export const benchEdge = (bench: EdgeBench): Promise<EdgeRow[]> => inPlace(bench, (place) => measureAll(place, bench));
