import type { Codec, OutgoingRecord, Producer, Written } from "../flow/ports.ts";
import type { TopicNames } from "../flow/topics.ts";
import type { UnsentReceipt } from "./batch-body.ts";
import type { BatchDecision } from "./decide.ts";

/** The Avro record `health.v1.BatchReceipt`. */
export type BatchReceipt = UnsentReceipt & { written: Written[] };

export type PublishDeps = {
  producer: Producer;
  codec: Codec;
  topics: TopicNames;
  isTransient: (error: unknown) => boolean;
};

/**
 * Kafka or the registry did not acknowledge: whether something was written is unknown, and sending the batch again
 * is harmless (everything downstream goes by id). Never answered as success.
 */
export class Unavailable extends Error {}

/** A registry that is away, or does not hold our schema yet, makes the batch unavailable; a value that does not fit its schema is a bug, and stays one. */
const encode = async (deps: PublishDeps, topic: string, value: unknown): Promise<Buffer> => {
  try {
    return await deps.codec.encode(topic, value);
  } catch (cause) {
    if (deps.isTransient(cause))
      throw new Unavailable("the schema registry has no answer for us: send the batch again", { cause });
    throw cause;
  }
};

const send = async (deps: PublishDeps, records: OutgoingRecord[]): Promise<Written[]> => {
  try {
    return await deps.producer.send(records);
  } catch (cause) {
    throw new Unavailable("Kafka did not acknowledge the batch: send it again", { cause });
  }
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
  const record = async (topic: string, value: unknown): Promise<OutgoingRecord> => ({
    topic,
    key: athlete_id,
    value: await encode(deps, topic, value),
    headers,
  });
  const records: OutgoingRecord[] = [];
  for (const { topic, chunk } of decision.chunks) records.push(await record(deps.topics(topic), chunk));
  for (const letter of decision.dead_letters) records.push(await record(deps.topics("deadletter"), letter));
  const receipt = { ...decision.receipt, written: await send(deps, records) };
  await send(deps, [await record(deps.topics("batches"), receipt)]);
  return receipt;
};
