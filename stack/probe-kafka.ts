import { randomUUID } from "node:crypto";
import { Kafka, logLevel, Partitioners, type Consumer } from "kafkajs";
import type { StackEnvironment } from "./environment.ts";

/** The broker answers with its cluster's metadata. */
export async function kafkaAnswers(env: StackEnvironment): Promise<void> {
  const admin = client(env, 0).admin();
  try {
    await admin.connect();
    await admin.describeCluster();
  } finally {
    await admin.disconnect();
  }
}

/**
 * Joins a group, commits one record in a transaction, consumes it. The first group and the first transaction of a
 * fresh broker create its internal topics and fail while these load: whoever comes after the warm-up does not see it.
 */
export async function warmKafka(env: StackEnvironment): Promise<void> {
  const kafka = client(env, 10);
  const name = `health-sync-probe-${randomUUID()}`;
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: name });
  const producer = kafka.producer({
    transactionalId: name,
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  try {
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: true });
    await Promise.all([consumer.connect(), producer.connect()]);
    await consumer.subscribe({ topic: name, fromBeginning: true });
    const consumed = firstRecord(consumer);
    const transaction = await producer.transaction();
    await transaction.send({ topic: name, acks: -1, messages: [{ key: name, value: name }] });
    await transaction.commit();
    if ((await consumed) !== name) throw new Error("Kafka gave back another record than the one produced");
  } finally {
    await Promise.allSettled([consumer.disconnect(), producer.disconnect()]);
    // Left behind, they would only be untidy: a broker that fails here has failed above with a better reason.
    await Promise.allSettled([admin.deleteGroups([name]), admin.deleteTopics({ topics: [name] })]);
    await admin.disconnect();
  }
}

function firstRecord(consumer: Consumer): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("a group joined but consumed nothing in 60 s")), 60_000);
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reject(payload.error);
    });
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      clearTimeout(timer);
      resolve(message.value?.toString());
    };
    consumer.run({ eachMessage, autoCommit: false }).catch(reject);
  });
}

/** kafkajs asks for timers of negative length; Node 24 warns of the first, and they run after 1 ms all the same. */
const silenceOnce = lazily(() => {
  const emit = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] !== "TimeoutNegativeWarning") Reflect.apply(emit, undefined, [warning, ...rest]);
  };
});

function lazily(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

function client(env: StackEnvironment, retries: number): Kafka {
  silenceOnce();
  return new Kafka({
    clientId: "health-sync-stack",
    brokers: env.KAFKA_BROKERS.split(","),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3000,
    requestTimeout: 15_000,
    retry: { retries, initialRetryTime: 50, maxRetryTime: 1000 },
  });
}
