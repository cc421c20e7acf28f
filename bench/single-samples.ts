import kafkajs from "kafkajs";
import type { Connections } from "../src/app.ts";
import type { SampleChunk } from "../src/domain/sample.ts";
import type { OutgoingRecord } from "../src/flow/ports.ts";

/** What the usual way sends: every sample a record, as JSON. */
export type SingleSample = {
  athlete_id: string;
  sample_id: string;
  type: string;
  start_at: number;
  end_at: number;
  value: number;
  unit: string | null;
  source: string | null;
  device: string | null;
  time_zone: string | null;
  received_at: number;
};

const PARTITIONS = 24;

export const singleSamples = (chunk: SampleChunk): SingleSample[] =>
  chunk.series.flatMap((series) =>
    series.samples.map((sample) => ({
      athlete_id: chunk.athlete_id,
      sample_id: sample.sample_id,
      type: series.type,
      start_at: sample.start_at,
      end_at: sample.end_at,
      value: sample.value,
      unit: series.unit,
      source: series.source_name,
      device: series.product_type,
      time_zone: sample.time_zone,
      received_at: chunk.received_at,
    })),
  );

/** A topic beside the product's, with as many topic partitions. */
export const createSingleTopic = async ({ config }: Connections): Promise<string> => {
  const topic = `${config.prefix}naive`;
  const admin = new kafkajs.Kafka({ brokers: config.brokers, logLevel: kafkajs.logLevel.ERROR }).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITIONS }] });
  await admin.disconnect();
  return topic;
};

export const singleRecords = (topic: string, chunk: SampleChunk): OutgoingRecord[] =>
  singleSamples(chunk).map((sample) => ({
    topic,
    key: chunk.athlete_id,
    value: Buffer.from(JSON.stringify(sample)),
  }));
