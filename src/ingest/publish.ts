import type { Codec, OutgoingRecord, Producer, Written } from "../flow/ports.ts";
import type { TopicNames } from "../flow/topics.ts";
import type { UnsentReceipt } from "./batch-body.ts";
import type { BatchDecision } from "./decide.ts";

/** The Avro record `health.v1.BatchReceipt`. */
export type BatchReceipt = UnsentReceipt & { written: Written[] };

export type PublishDeps = { producer: Producer; codec: Codec; topics: TopicNames };

/**
 * Kafka or the registry did not acknowledge: whether something was written is unknown, and sending the batch again
 * is harmless (everything downstream goes by id). Never answered as success.
 */
export class Unavailable extends Error {}

const encodeAll = async (deps: PublishDeps, decision: BatchDecision, headers: Record<string, string>) => {
  const key = decision.receipt.athlete_id;
  const values = [
    ...decision.chunks.map(({ topic, chunk }) => ({ topic: deps.topics(topic), value: chunk as unknown })),
    ...decision.dead_letters.map((letter) => ({ topic: deps.topics("deadletter"), value: letter as unknown })),
  ];
  const records: OutgoingRecord[] = [];
  for (const { topic, value } of values) {
    records.push({ topic, key, value: await deps.codec.encode(topic, value), headers });
  }
  return records;
};

/**
 * Sends chunks and dead letters, and once these are acknowledged the receipt, which says what they wrote. Resolves
 * when the receipt is acknowledged too: only then may the batch be called accepted (I2). Throws Unavailable.
 */
export const publishBatch = async (
  deps: PublishDeps,
  decision: BatchDecision,
  traceparent?: string,
): Promise<BatchReceipt> => {
  const { athlete_id, batch_id } = decision.receipt;
  const headers = { batch_id, ...(traceparent === undefined ? {} : { traceparent }) };
  try {
    const records = await encodeAll(deps, decision, headers);
    const receipt = { ...decision.receipt, written: await deps.producer.send(records) };
    const topic = deps.topics("batches");
    const value = await deps.codec.encode(topic, receipt);
    await deps.producer.send([{ topic, key: athlete_id, value, headers }]);
    return receipt;
  } catch (cause) {
    throw new Unavailable("Kafka or the schema registry did not acknowledge the batch: send it again", { cause });
  }
};
