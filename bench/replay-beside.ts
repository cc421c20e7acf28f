import { performance } from "node:perf_hooks";
import kafkajs from "kafkajs";
import { connect } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { registerZstd } from "../src/io/kafka-compression.ts";

const cpuSeconds = (): number => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;

/** The ceiling of a replay: a consumer of kafkajs that reads the slow lane's topic to its end and drops everything. */
export const dropEverything = async (env: NodeJS.ProcessEnv): Promise<{ seconds: number; cpu_s: number }> => {
  registerZstd();
  const config = readConfig(env);
  const topic = `${config.prefix}health.backfill.v1`;
  const bounds = await connect(config, "bench").kafka.logInfo().bounds(topic);
  const expected = [...bounds.values()].reduce((sum, { low, high }) => sum + high - low, 0);
  const client = new kafkajs.Kafka({ brokers: config.brokers, logLevel: kafkajs.logLevel.ERROR });
  const consumer = client.consumer({ groupId: `${config.prefix}dropped`, maxWaitTimeInMs: 100 });
  let began = 0;
  let cpu = 0;
  let seen = 0;
  const done = Promise.withResolvers<{ seconds: number; cpu_s: number }>();
  consumer.on(consumer.events.GROUP_JOIN, () => {
    began = performance.now();
    cpu = cpuSeconds();
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachBatch: ({ batch }) => {
      seen += batch.messages.length;
      if (seen >= expected) done.resolve({ seconds: (performance.now() - began) / 1000, cpu_s: cpuSeconds() - cpu });
      return Promise.resolve();
    },
  });
  const took = await done.promise;
  await consumer.disconnect();
  return took;
};
