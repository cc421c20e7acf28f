import kafkajs from "kafkajs";
import type { Kafka, Producer as KafkaProducer } from "kafkajs";
import type { OutgoingRecord } from "../flow/ports.ts";
import { withDeadline } from "./kafka-deadline.ts";
import type { Writer } from "./kafka-gather.ts";
import { bases, byTopic, notingPartitioner, outgoing, placed, type Placed, requests } from "./kafka-records.ts";

/** One kafkajs producer and the sends that still run on it. */
type Session = { client: KafkaProducer; connected: Promise<void>; running: Set<Promise<unknown>> };

export type ProducerOptions = {
  /** A request that is not acknowledged by then is rejected, as is a send that cannot connect. */
  giveUpMs: number;
};

/**
 * acks=all without kafkajs' idempotence, which loses acknowledged records (kafka-client.md, rule P): after a lost answer a
 * record may stand in the log twice, and everything downstream goes by sample id. After any rejection the
 * underlying producer is replaced, because kafkajs may have kept something of the failure (a deleted topic poisons it).
 */
export function createWriter(kafka: Kafka, { giveUpMs }: ProducerOptions): Writer {
  let current: Session | null = null;

  const open = (): Session => {
    const client = kafka.producer({
      createPartitioner: notingPartitioner,
      allowAutoTopicCreation: false,
      idempotent: false,
      retry: { retries: 8, initialRetryTime: 100, multiplier: 2, maxRetryTime: 1000, factor: 0.2 },
    });
    const connected = client.connect();
    connected.catch(() => undefined);
    return { client, connected, running: new Set() };
  };

  const step = <T>(session: Session, work: Promise<T>): Promise<T> => {
    const settled = work.catch(() => undefined).finally(() => session.running.delete(settled));
    session.running.add(settled);
    return withDeadline(
      work,
      giveUpMs,
      `Kafka did not answer within ${giveUpMs} ms: whether it was written is unknown`,
    );
  };

  /** Only once nothing runs on it: kafkajs reconnects in the middle of a send, and would leave a socket behind. */
  const retire = async (session: Session): Promise<void> => {
    if (current === session) current = null;
    await session.connected.catch(() => undefined);
    while (session.running.size > 0) await Promise.all(session.running);
    await session.client.disconnect().catch(() => undefined);
  };

  return {
    async write(records) {
      const session = (current ??= open());
      try {
        await step(session, session.connected);
        return await writeAll(session, records, step);
      } catch (error) {
        void retire(session);
        throw error;
      }
    },
    async close() {
      if (current) await withDeadline(retire(current), giveUpMs, "").catch(() => undefined);
    },
  };
}

async function writeAll(
  session: Session,
  records: readonly OutgoingRecord[],
  step: <T>(session: Session, work: Promise<T>) => Promise<T>,
): Promise<Placed[]> {
  const parts: Placed[] = [];
  for (const request of requests(records)) {
    const messages = outgoing(request);
    const answers = await step(
      session,
      session.client.sendBatch({
        acks: -1,
        compression: kafkajs.CompressionTypes.ZSTD,
        topicMessages: byTopic(messages),
      }),
    );
    parts.push(...placed(messages, bases(answers)));
  }
  return parts;
}
