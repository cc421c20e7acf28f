import kafkajs from "kafkajs";
import type { Admin, Kafka } from "kafkajs";
import type { Instant } from "../domain/sample.ts";
import type { LogInfo } from "../flow/ports.ts";
import { isTransient } from "./kafka-errors.ts";

/** What the cluster has of a topic. `overrides` are the settings made on the topic itself, `config` what is in force. */
export type TopicState = {
  partitions: number;
  replicas: number;
  overrides: Record<string, string>;
  config: Record<string, string>;
};
export type NewTopic = { name: string; partitions: number; replicas: number; config: Record<string, string> };

const TOPIC = kafkajs.ConfigResourceTypes.TOPIC;

/** A fresh client a question: once a topic it asked for is deleted, a kafkajs admin fails on every later call. */
async function asking<T>(kafka: Kafka, question: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin({
    retry: { retries: 5, initialRetryTime: 100, multiplier: 2, maxRetryTime: 2000, factor: 0.2 },
  });
  await admin.connect();
  try {
    return await question(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** The first offset at or after an instant of broker time, by topic partition; the end where there is none. */
export type LogTimes = { offsetsAt(topic: string, at: Instant): Promise<Map<number, number>> };

type Bounds = Map<number, { low: number; high: number }>;

const boundsOf = async (admin: Admin, topic: string): Promise<Bounds> => {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
};

/** Topics that are asked about at once share a client. Where that fails it may be the fault of one: each is asked alone. */
const gatheringBounds = (kafka: Kafka): LogInfo["bounds"] => {
  const alone = (topic: string): Promise<Bounds> => asking(kafka, (admin) => boundsOf(admin, topic));
  const together = (topics: readonly string[]): Promise<Map<string, Bounds>> =>
    asking(kafka, async (admin) => {
      const all = new Map<string, Bounds>();
      for (const topic of topics) all.set(topic, await boundsOf(admin, topic));
      return all;
    });
  let coming: { topics: string[]; answers: Promise<Map<string, Bounds> | null> } | null = null;
  return async (topic) => {
    if (coming) coming.topics.push(topic);
    else {
      const topics = [topic];
      const asked = new Promise<void>((resolve) => void setImmediate(resolve)).then(() => {
        coming = null;
        return topics.length === 1 ? null : together(topics).catch(() => null);
      });
      coming = { topics, answers: asked };
    }
    const answers = await coming.answers;
    return answers?.get(topic) ?? alone(topic);
  };
};

export const createLogInfo = (kafka: Kafka): LogInfo & LogTimes => ({
  bounds: gatheringBounds(kafka),
  clusterId: () => asking(kafka, async (admin) => (await admin.describeCluster()).clusterId),
  offsetsAt: (topic, at) =>
    asking(kafka, async (admin) => {
      const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, at);
      return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
    }),
});

export type TopicAdmin = {
  brokers(): Promise<number>;
  /** Topics that do not exist are absent from the answer. */
  describe(names: readonly string[]): Promise<Map<string, TopicState>>;
  create(topics: readonly NewTopic[]): Promise<void>;
  /** Replaces all settings made on the topic: pass those to be kept too. */
  configure(name: string, overrides: Record<string, string>): Promise<void>;
  /** Resolves once every partition of every topic has a leader. */
  ready(partitions: ReadonlyMap<string, number>): Promise<void>;
  delete(names: readonly string[]): Promise<void>;
};

export const createTopicAdmin = (kafka: Kafka): TopicAdmin => ({
  brokers: () => asking(kafka, async (admin) => (await admin.describeCluster()).brokers.length),
  describe: (names) => asking(kafka, (admin) => describe(admin, names)),
  create: (topics) =>
    asking(kafka, async (admin) => {
      await admin.createTopics({
        waitForLeaders: false,
        topics: topics.map(({ name, partitions, replicas, config }) => ({
          topic: name,
          numPartitions: partitions,
          replicationFactor: replicas,
          configEntries: entries(config),
        })),
      });
    }),
  configure: (name, overrides) =>
    asking(kafka, async (admin) => {
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: TOPIC, name, configEntries: entries(overrides) }],
      });
    }),
  ready: async (partitions) => {
    for (let left = 150; ; left--) {
      const missing = await asking(kafka, (admin) => withoutLeader(admin, partitions));
      if (missing.length === 0) return;
      if (left === 0)
        throw new Error(`no leader yet for ${missing.join(", ")}: look at the brokers, then run it again`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  },
  delete: (names) => asking(kafka, (admin) => admin.deleteTopics({ topics: [...names] })),
});

const entries = (config: Record<string, string>) => Object.entries(config).map(([name, value]) => ({ name, value }));

async function describe(admin: Admin, names: readonly string[]): Promise<Map<string, TopicState>> {
  const there = new Set(await admin.listTopics());
  const known = names.filter((name) => there.has(name));
  if (known.length === 0) return new Map();
  const { topics } = await admin.fetchTopicMetadata({ topics: known });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: known.map((name) => ({ type: TOPIC, name })),
  });
  const out = new Map<string, TopicState>();
  for (const { name, partitions } of topics) {
    const settings = resources.find((resource) => resource.resourceName === name)?.configEntries ?? [];
    const own = settings.filter((entry) => entry.configSource === kafkajs.ConfigSource.TOPIC_CONFIG);
    out.set(name, {
      partitions: partitions.length,
      replicas: Math.min(...partitions.map((partition) => partition.replicas.length)),
      overrides: Object.fromEntries(own.map((entry) => [entry.configName, entry.configValue])),
      config: Object.fromEntries(settings.map((entry) => [entry.configName, entry.configValue])),
    });
  }
  return out;
}

/**
 * Metadata names a leader before it leads: a send in that moment is refused for some partitions and, tried again, written twice
 * to the others. Only a leader answers for its offsets.
 */
async function withoutLeader(admin: Admin, expected: ReadonlyMap<string, number>): Promise<string[]> {
  const missing: string[] = [];
  for (const [name, count] of expected) {
    const offsets = await passing(() => admin.fetchTopicOffsets(name));
    if ((offsets?.length ?? 0) < count) missing.push(name);
  }
  return missing;
}

/** Null while the broker that was asked does not know the topic, or a partition of it has no leader. */
async function passing<T>(question: () => Promise<T>): Promise<T | null> {
  try {
    return await question();
  } catch (error) {
    if (isTransient(error)) return null;
    throw error;
  }
}
