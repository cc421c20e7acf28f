import type { Connections } from "../src/app.ts";
import { measure } from "./measure.ts";

/** Fewer would time how a virtual machine warms up. */
const LEAST_RECORDS = 20_000;

export type PerfTool = {
  /** Folder with the jars of Kafka's own tools, which its server comes without. */
  jars: string;
  brokers: string;
  topic: string;
  /** Bytes of a record. */
  bytes: number;
  records: number;
};

export const perfRecords = (samplesARecord: number): number =>
  Math.max(LEAST_RECORDS, Math.ceil(200_000 / samplesARecord));

export const makePerfTopic = async ({ kafka }: Connections, topic: string): Promise<void> => {
  const topics = kafka.topics();
  if ((await topics.describe([topic])).has(topic)) return;
  await topics.create([{ name: topic, partitions: 24, replicas: 1, config: { "compression.type": "zstd" } }]);
  await topics.ready(new Map([[topic, 24]]));
};

/** Kafka's producer-perf-test with our records' size, acks and compression, once; its start is not in its own seconds. */
export const perfTool = async ({
  jars,
  brokers,
  topic,
  bytes,
  records,
}: PerfTool): Promise<{ seconds: number; cpu_s: number; peak_mb: number }> => {
  const producer = [`bootstrap.servers=${brokers}`, "acks=all", "compression.type=zstd"];
  const work = ["--topic", topic, "--num-records", `${records}`, "--record-size", `${bytes}`, "--throughput", "-1"];
  const main = ["-cp", `${jars}/*`, "org.apache.kafka.tools.ProducerPerformance"];
  const ran = await measure([...main, ...work, "--producer-props", ...producer], process.env, "java");
  const rate = /records sent, ([\d.]+) records\/sec/.exec(ran.stdout.trim().split("\n").at(-1) ?? "")?.[1];
  if (rate === undefined) throw new Error(`producer-perf-test said: ${ran.stdout.slice(-300)}`);
  return { seconds: records / Number(rate), cpu_s: ran.cpu_s, peak_mb: ran.peak_mb };
};
