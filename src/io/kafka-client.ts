import kafkajs from "kafkajs";
import type { LogEntry } from "kafkajs";
import type { GroupConsumer, LogInfo, Producer, TransactionalProducer } from "../flow/ports.ts";
import { createLogInfo, createTopicAdmin } from "./kafka-admin.ts";
import type { LogTimes, TopicAdmin } from "./kafka-admin.ts";
import { registerZstd } from "./kafka-compression.ts";
import { createConsumer } from "./kafka-consumer.ts";
import type { ConsumerOptions } from "./kafka-consumer.ts";
import { logTo } from "./kafka-log.ts";
import type { KafkaLog } from "./kafka-log.ts";
import { gathering } from "./kafka-gather.ts";
import { createWriter } from "./kafka-producer.ts";
import { restQueues } from "./kafka-queue.ts";
import { forgetHalfAnswers } from "./kafka-reconnect.ts";
import { type KafkaSecurity, securityOptions } from "./kafka-security.ts";
import { createTransactional } from "./kafka-transaction.ts";
import { onPlatformatic } from "./platformatic-lazy.ts";

export type KafkaOptions = {
  brokers: string[];
  clientId: string;
  log?: KafkaLog;
  security?: KafkaSecurity;
  /** The library that reads and writes (docs/adr/0025); questions and topics are always kafkajs'. */
  client?: "kafkajs" | "platformatic";
};

/** Nothing connects before it is used. Every part has connections of its own: close or stop each. */
export type KafkaClient = {
  /** `giveUpMs` (10 s): how long an unacknowledged request may take before `send` rejects. */
  producer(options?: { giveUpMs?: number }): Producer;
  /** Resolves once the id is ours and its former holder is fenced. `giveUpMs` (30 s) bounds a transaction. */
  transactional(id: string, options?: { giveUpMs?: number }): Promise<TransactionalProducer>;
  consumer(options: ConsumerOptions): GroupConsumer;
  logInfo(): LogInfo & LogTimes;
  topics(): TopicAdmin;
};

type Timeouts = { connectionTimeout: number; requestTimeout: number; retries: number };

/** The only way to Kafka, by the rules of kafka-client.md. */
export function createKafka(options: KafkaOptions): KafkaClient {
  const { client = "kafkajs" } = options;
  return client === "kafkajs" ? onKafkajs(options) : { ...onKafkajs(options), ...onPlatformatic(options) };
}

function onKafkajs({ brokers, clientId, log = () => undefined, security }: KafkaOptions): KafkaClient {
  registerZstd();
  forgetHalfAnswers();
  restQueues();
  const secured = security === undefined ? {} : securityOptions(security);
  const open = ({ retries, ...timeouts }: Timeouts, watch?: (entry: LogEntry) => void) =>
    new kafkajs.Kafka({
      brokers,
      clientId,
      ...secured,
      ...timeouts,
      retry: { retries, initialRetryTime: 100, multiplier: 2, maxRetryTime: 1000, factor: 0.2 },
      logLevel: kafkajs.logLevel.WARN,
      logCreator: logTo(log, watch),
    });
  const asking: Timeouts = { connectionTimeout: 3000, requestTimeout: 10_000, retries: 4 };
  return {
    producer: ({ giveUpMs = 10_000 } = {}) =>
      gathering(
        createWriter(open({ connectionTimeout: 2000, requestTimeout: giveUpMs, retries: 4 }), { giveUpMs }),
        giveUpMs,
      ),
    transactional: (id, { giveUpMs = 30_000 } = {}) =>
      createTransactional(open({ connectionTimeout: 3000, requestTimeout: giveUpMs, retries: 4 }), id, giveUpMs),
    consumer: (options) =>
      // The request timeout must outlast a session: SyncGroup waits behind a frozen leader for that long.
      createConsumer(
        (watch) => open({ connectionTimeout: 3000, requestTimeout: 30_000, retries: 10 }, watch),
        options,
        log,
      ),
    logInfo: () => createLogInfo(open(asking)),
    topics: () => createTopicAdmin(open(asking)),
  };
}
