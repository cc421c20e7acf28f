import type { Batch, Consumer, ConsumerConfig, Kafka, LogEntry } from "kafkajs";
import type { FetchedBatch, GroupConsumer, TopicPartition } from "../flow/ports.ts";
import { withDeadline } from "./kafka-deadline.ts";
import type { KafkaLog } from "./kafka-log.ts";
import { fetchPatiently, type Patience, waitWith } from "./kafka-patience.ts";
import { rawRecord } from "./kafka-records.ts";

export type ConsumerOptions = {
  group: string;
  topics: string[];
  /** The broker's minimum is 6 s, and a lone worker is back about that long after it was killed. */
  sessionTimeoutMs?: number;
  heartbeatMs?: number;
  rebalanceTimeoutMs?: number;
  /** Compressed; the broker sends one record batch even if it is larger. */
  maxBytesPerPartition?: number;
  maxBytes?: number;
};

/** How long a fetch may wait for a record while something that is assigned is paused: once resumed, it is read with the next. */
export const BUSY_WAIT_MS = 100;
/** While everything is read, so that only a record can end the wait. */
const REST_WAIT_MS = 2000;

type Callbacks = Parameters<GroupConsumer["start"]>[0];

/**
 * A member of a group by the recipe of kafka-client.md: positions are kept elsewhere, so nothing is resolved or committed
 * here. A fetch begins where `seek` last pointed, again and again until the next `seek`; a partition is
 * read only between `resume` and `pause`. `open` makes the client with a watcher of its own on kafkajs' log.
 */
export function createConsumer(
  open: (watch: (entry: LogEntry) => void) => Kafka,
  options: ConsumerOptions,
  log: KafkaLog,
): GroupConsumer {
  let callbacks: Callbacks | null = null;
  const client = open((entry) => {
    if (entry.log.message.startsWith("Offset out of range, resetting")) callbacks?.suspect(placeOf(entry));
  });
  const consumer = client.consumer(settings(options));
  const patience = patienceOf(options);
  fetchPatiently();
  return {
    async start(given) {
      callbacks = given;
      listen(consumer, given);
      consumer.on(consumer.events.FETCH_START, () => waitWith(patience));
      await consumer.connect();
      await consumer.subscribe({ topics: options.topics, fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: ({ batch }) => {
          given.batch(fetchedBatch(batch));
          return Promise.resolve();
        },
      });
    },
    seek(at, offset) {
      ifRunning(() => consumer.seek({ topic: at.topic, partition: at.topic_partition, offset: String(offset) }));
    },
    pause(partitions) {
      ifRunning(() => consumer.pause(byTopic(partitions)));
    },
    resume(partitions) {
      ifRunning(() => consumer.resume(byTopic(partitions)));
    },
    commit(at, position) {
      consumer
        .commitOffsets([{ topic: at.topic, partition: at.topic_partition, offset: String(position) }])
        .catch((error: unknown) => log("kafka_commit_failed", { ...at, position, error: String(error) }));
    },
    async stop() {
      // Behind a silent broker kafkajs waits for each answer in turn; the session timeout releases the partitions anyway.
      const gone = withDeadline(consumer.disconnect(), 10_000, "").catch(() => undefined);
      for (const abandon of patience.abandon) abandon();
      await gone;
    },
  };
}

const HEARTBEAT_MS = 2000;

const patienceOf = ({ heartbeatMs = HEARTBEAT_MS }: ConsumerOptions): Patience => ({
  rest_ms: REST_WAIT_MS,
  busy_ms: BUSY_WAIT_MS,
  heartbeat_ms: heartbeatMs,
  abandon: new Set(),
});

const settings = (options: ConsumerOptions): ConsumerConfig => ({
  groupId: options.group,
  sessionTimeout: options.sessionTimeoutMs ?? 6000,
  heartbeatInterval: options.heartbeatMs ?? HEARTBEAT_MS,
  rebalanceTimeout: options.rebalanceTimeoutMs ?? 30_000,
  maxBytesPerPartition: options.maxBytesPerPartition ?? 512 * 1024,
  maxBytes: options.maxBytes ?? 4 * 1024 * 1024,
  allowAutoTopicCreation: false,
  // A crashed consumer is not restarted in place: the supervisor restarts the process (rule 6). No long delays, because
  // kafkajs sends no heartbeat while it waits to try again.
  retry: {
    retries: 10,
    initialRetryTime: 100,
    multiplier: 2,
    maxRetryTime: 2000,
    factor: 0.2,
    restartOnFailure: never,
  },
});

const never = (): Promise<boolean> => Promise.resolve(false);

function listen(consumer: Consumer, callbacks: Callbacks): void {
  const { GROUP_JOIN, FETCH, CRASH } = consumer.events;
  // Called before the first fetch of the new generation. Without the pause that fetch would go to the group's own offsets.
  consumer.on(GROUP_JOIN, ({ payload }) => {
    const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
      numbers.map((topic_partition) => ({ topic, topic_partition })),
    );
    if (partitions.length > 0) consumer.pause(byTopic(partitions));
    callbacks.assigned(partitions);
  });
  consumer.on(FETCH, () => callbacks.fetched());
  consumer.on(CRASH, ({ payload }) => callbacks.crashed(payload.error));
}

/** After a crash kafkajs has no group any more, and whoever still holds a lane may not know yet. */
function ifRunning(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("Consumer group was not initialized"))) throw error;
  }
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const out = new Map<string, number[]>();
  for (const { topic, topic_partition } of partitions) out.set(topic, [...(out.get(topic) ?? []), topic_partition]);
  return [...out].map(([topic, numbers]) => ({ topic, partitions: numbers }));
}

function placeOf(entry: LogEntry): TopicPartition | null {
  const { topic, partition } = entry.log;
  return typeof topic === "string" && typeof partition === "number" ? { topic, topic_partition: partition } : null;
}

function fetchedBatch(batch: Batch): FetchedBatch {
  const at = { topic: batch.topic, topic_partition: batch.partition };
  return {
    ...at,
    fetched_from: fetchedFrom(batch),
    records: batch.messages.map((message) => rawRecord(at, message)),
    high_watermark: Number(batch.highWatermark),
  };
}

/** The offset that was asked for, which kafkajs keeps on the batch but leaves out of its types. */
function fetchedFrom(batch: Batch): number {
  if ("fetchedOffset" in batch) return Number(batch.fetchedOffset);
  throw new Error("this version of kafkajs does not say from where it fetched: the consumer cannot be trusted with it");
}
