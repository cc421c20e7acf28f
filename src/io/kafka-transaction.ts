import kafkajs from "kafkajs";
import type { Kafka, Producer as KafkaProducer } from "kafkajs";
import type { OutgoingRecord, TransactionalProducer, Written } from "../flow/ports.ts";
import { inTurn } from "./kafka-in-turn.ts";
import { bases, byTopic, latest, notingPartitioner, outgoing, placed, type Placed, requests } from "./kafka-records.ts";

/** kafkajs' way to transactions of one id: the sequence numbers it keeps cannot be trusted after a failure. */
export function createTransactional(kafka: Kafka, id: string, giveUpMs: number): Promise<TransactionalProducer> {
  const client = kafka.producer({
    transactionalId: id,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 30_000,
    createPartitioner: notingPartitioner,
    allowAutoTopicCreation: false,
    // The broker answers CONCURRENT_TRANSACTIONS until the markers of the last one are written: the first delay is the latency.
    retry: { retries: 12, initialRetryTime: 25, multiplier: 2, maxRetryTime: 1000, factor: 0.2 },
  });
  const way = {
    claim: () => claim(client),
    transaction: (records: readonly OutgoingRecord[]) => transaction(client, records),
    close: () => client.disconnect(),
    isFenced: fenced,
    asError,
  };
  return inTurn(way, { id, giveUpMs });
}

/** kafkajs takes its producer id and epoch with the first transaction; an empty one takes them now. */
async function claim(client: KafkaProducer): Promise<void> {
  await client.connect();
  const empty = await client.transaction();
  await empty.abort();
}

async function transaction(client: KafkaProducer, records: readonly OutgoingRecord[]): Promise<Written[]> {
  const tx = await client.transaction();
  const parts: Placed[] = [];
  for (const request of requests(records)) {
    const messages = outgoing(request);
    const compression = kafkajs.CompressionTypes.ZSTD;
    const answers = await tx.sendBatch({ acks: -1, compression, topicMessages: byTopic(messages) });
    parts.push(...placed(messages, bases(answers)));
  }
  await tx.commit();
  return latest(parts);
}

const FENCED = new Set(["INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"]);

/** Somewhere along the causes: kafkajs wraps what its retries gave up on. */
function fenced(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++)
    if ("type" in at && typeof at.type === "string" && FENCED.has(at.type)) return true;
  return false;
}

const asError = (cause: unknown): Error => (cause instanceof Error ? cause : new Error(String(cause)));
