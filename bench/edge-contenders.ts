import { writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { Connections } from "../src/app.ts";
import type { OutgoingRecord, Producer } from "../src/flow/ports.ts";
import { type Body, bytesSum, encodedBody, type Sum, sumOf } from "./edge-bodies.ts";
import { readBytes, readChunk, readNaive, readNothing, type ReadRecord } from "./edge-proof.ts";
import type { Child } from "./listening.ts";
import { usageOf } from "./measure.ts";
import { makePerfTopic, perfRecords, perfTool } from "./perf-tool.ts";

export const EDGE = "edge";
export const RAW = "same client, encoded before";
export const TOOL = "Kafka's producer-perf-test (records of that size)";
export const NAIVE = "Fastify + kafkajs, a record a sample";

const AT_ONCE = 16;

export type Took = { seconds: number; cpu_s: number; peak_mb: number };

/** One way to bring the bodies into the log. `samples`: how many one run stands for; `sent`: what the log must hold of it. */
export type Contender = {
  what: string;
  topics: readonly string[];
  samples: number;
  sent: Sum;
  read: ReadRecord;
  warm: () => Promise<unknown>;
  run: () => Promise<Took>;
};

type Send = (body: Body) => Promise<void>;

const posting =
  (url: string, token: string): Send =>
  async ({ athlete, text, samples }) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(`${url}/v1/athletes/${athlete}/batches`, { method: "POST", headers, body: text });
    const { accepted } = (await answer.json()) as { accepted?: number };
    if (answer.status !== 202 || accepted !== samples.count) throw new Error(`${url}: ${answer.status}, ${accepted}`);
  };

const sendAll = async (bodies: readonly Body[], send: Send): Promise<void> => {
  const queue = bodies.values();
  const drain = async (): Promise<void> => {
    for (const body of queue) await send(body);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, drain));
};

/** A process's highest memory counts from now on (Linux); where that is not allowed, from its start. */
const forgetPeak = (pid: number): void => {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // The figure is then an upper bound.
  }
};

/** The kernel counts other processes in hundredths of a second. */
const cpuOf = (pid: number): number =>
  pid === process.pid
    ? (process.cpuUsage().user + process.cpuUsage().system) / 1e6
    : (usageOf(pid)?.cpu_s ?? Number.NaN);

const timed = async (pid: number, work: () => Promise<void>): Promise<Took> => {
  forgetPeak(pid);
  const [busy, started] = [cpuOf(pid), performance.now()];
  await work();
  const seconds = (performance.now() - started) / 1000;
  return { seconds, cpu_s: cpuOf(pid) - busy, peak_mb: usageOf(pid)?.peak_mb ?? Number.NaN };
};

export type Contest = {
  connections: Connections;
  producer: Producer;
  edge: Child;
  naive: Child;
  token: string;
  jars?: string;
};

const sending = (bodies: readonly Body[], pid: number, send: Send): Pick<Contender, "samples" | "warm" | "run"> => ({
  samples: bodies.reduce((sum, { samples }) => sum + samples.count, 0),
  warm: () => sendAll(bodies.slice(0, AT_ONCE * 4), send),
  run: () => timed(pid, () => sendAll(bodies, send)),
});

/** The edge's own chunks, made and encoded before the clock runs. */
const rawClient = async ({ connections, producer }: Contest, bodies: readonly Body[], topics: readonly string[]) => {
  const before = new Map<Body, OutgoingRecord[]>();
  for (const body of bodies) before.set(body, await encodedBody(connections, body));
  const records = [...before.values()].flat();
  const values = records.map(({ value }) => value ?? new Uint8Array());
  const contender: Contender = {
    what: RAW,
    topics,
    sent: sumOf(values.map(bytesSum)),
    read: readBytes,
    ...sending(bodies, process.pid, async (body) => void (await producer.send(before.get(body) ?? []))),
  };
  return { contender, records: values.length, bytes: values.reduce((sum, value) => sum + value.length, 0) };
};

const javaTool = async (
  { connections: { config, ...connections }, jars = "" }: Contest,
  ours: { records: number; bytes: number; samples: number },
): Promise<Contender> => {
  const topic = `${config.prefix}perf`;
  await makePerfTopic({ config, ...connections }, topic);
  const samplesARecord = ours.samples / ours.records;
  const records = perfRecords(samplesARecord);
  const bytes = Math.round(ours.bytes / ours.records);
  return {
    what: TOOL,
    topics: [topic],
    samples: records * samplesARecord,
    sent: { count: records, checksum: 0 },
    read: readNothing,
    warm: async () => undefined,
    run: () => perfTool({ jars, brokers: config.brokers.join(","), topic, bytes, records }),
  };
};

const OURS = ["samples", "sleep", "backfill"] as const;

export const contendersFor = async (contest: Contest, bodies: readonly Body[]): Promise<Contender[]> => {
  const { connections, edge, naive, token, jars } = contest;
  const topics = OURS.map((name) => connections.topics(name));
  const sent = sumOf(bodies.map(({ samples }) => samples));
  const raw = await rawClient(contest, bodies, topics);
  const posted = (child: Child) => sending(bodies, child.pid, posting(child.url, token));
  return [
    { what: EDGE, topics, sent, read: readChunk(connections), ...posted(edge) },
    raw.contender,
    { what: NAIVE, topics: [`${connections.config.prefix}naive`], sent, read: readNaive, ...posted(naive) },
    ...(jars === undefined ? [] : [await javaTool(contest, { ...raw, samples: sent.count })]),
  ];
};
