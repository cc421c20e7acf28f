import type { Connections } from "../src/app.ts";
import { type Spread, spreadOf } from "./figures.ts";
import { measure } from "./measure.ts";

/** Fewer would time how a virtual machine warms up. */
const LEAST_RECORDS = 20_000;

export type PerfRun = {
  /** Folder with the jars of Kafka's own tools, which its server comes without. */
  jars: string;
  brokers: string;
  topic: string;
  /** Bytes of a record, and samples that ours hold at that size. */
  bytes: number;
  samples: number;
  rounds: number;
};

/** Kafka's producer-perf-test with our records' size, acks and compression: samples a second that such records would carry. */
export const perfTool = async (
  { kafka }: Connections,
  { jars, brokers, topic, bytes, samples, rounds }: PerfRun,
): Promise<{ samples_s: Spread; cpu_us: Spread; records: number }> => {
  const topics = kafka.topics();
  if (!(await topics.describe([topic])).has(topic)) {
    await topics.create([{ name: topic, partitions: 24, replicas: 1, config: { "compression.type": "zstd" } }]);
    await topics.ready(new Map([[topic, 24]]));
  }
  const records = Math.max(LEAST_RECORDS, Math.ceil(200_000 / samples));
  const producer = [`bootstrap.servers=${brokers}`, "acks=all", "compression.type=zstd"];
  const work = ["--topic", topic, "--num-records", `${records}`, "--record-size", `${bytes}`, "--throughput", "-1"];
  const main = ["-cp", `${jars}/*`, "org.apache.kafka.tools.ProducerPerformance"];
  const [rates, cpu]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const ran = await measure([...main, ...work, "--producer-props", ...producer], process.env, "java");
    const rate = /records sent, ([\d.]+) records\/sec/.exec(ran.stdout.trim().split("\n").at(-1) ?? "")?.[1];
    if (rate === undefined) throw new Error(`producer-perf-test said: ${ran.stdout.slice(-300)}`);
    rates.push(Number(rate) * samples);
    cpu.push((ran.cpu_s * 1e6) / (records * samples));
  }
  return { samples_s: spreadOf(rates), cpu_us: spreadOf(cpu), records };
};
