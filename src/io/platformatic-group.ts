import { setTimeout as sleep } from "node:timers/promises";
import { Consumer as Client } from "@platformatic/kafka";
import type { BaseOptions } from "@platformatic/kafka";
import type { TopicPartition } from "../flow/ports.ts";
import type { ConsumerOptions } from "./kafka-consumer.ts";
import type { KafkaLog } from "./kafka-log.ts";
import { lineIsDown, spokenOut } from "./platformatic-errors.ts";

type Told = { assigned(partitions: TopicPartition[]): void; crashed(error: unknown): void };

export type Membership = {
  /** Throws where Kafka cannot be reached; joining itself goes on behind it. */
  start(told: Told): Promise<void>;
  commit(at: TopicPartition, position: number): void;
  close(): Promise<void>;
};

const MOST_FAILURES = 10;

/** Membership in a group, and nothing else: its own connections, so that a fetch that waits holds up no heartbeat. */
export function createMembership(base: BaseOptions, options: ConsumerOptions, log: KafkaLog): Membership {
  const client = new Client({ ...base, ...settings(options) });
  const state = { joined: false, joining: false, over: false };

  /** The client gives up joining again after some tries: it is asked for ever while the line is what fails. */
  const join = async (told: Told): Promise<void> => {
    if (state.joining) return;
    state.joining = true;
    for (let failures = 1; !state.over; failures++) {
      try {
        await client.joinGroup({});
        break;
      } catch (error) {
        log("kafka_client", { message: "cannot join", groupId: options.group, error: spokenOut(error).message });
        if (failures >= MOST_FAILURES && !lineIsDown(error)) told.crashed(error);
        await sleep(Math.min(100 * 2 ** failures, 2000));
      }
    }
    state.joining = false;
  };

  return {
    async start(told) {
      client.on("consumer:group:join", ({ assignments = [] }) => {
        if (state.over) return;
        state.joined = true;
        told.assigned(assignments.flatMap(placesOf));
      });
      client.on("consumer:group:rebalance", () => (state.joined = false));
      client.on("consumer:heartbeat:stalled", () => void join(told));
      client.on("error", () => void join(told));
      client.topics.trackAll(...options.topics);
      await client.metadata({ topics: [...options.topics] });
      void join(told);
    },
    commit(at, position) {
      // In a rebalance it would only be refused, and the client would join once more for it.
      if (state.over || !state.joined) return;
      const offset = { topic: at.topic, partition: at.topic_partition, offset: BigInt(position), leaderEpoch: -1 };
      client
        .commit({ offsets: [offset] })
        .catch((error: unknown) => log("kafka_commit_failed", { ...at, position, error: spokenOut(error).message }));
    },
    async close() {
      state.over = true;
      await client.close(true);
    },
  };
}

const placesOf = ({ topic, partitions }: { topic: string; partitions: number[] }): TopicPartition[] =>
  partitions.map((topic_partition) => ({ topic, topic_partition }));

const settings = (options: ConsumerOptions) => ({
  groupId: options.group,
  sessionTimeout: options.sessionTimeoutMs ?? 6000,
  heartbeatInterval: options.heartbeatMs ?? 2000,
  rebalanceTimeout: options.rebalanceTimeoutMs ?? 30_000,
  heartbeatStallTimeout: 15_000,
  autocommit: false,
  // kafkajs' name for it: members on either client share a group, so that one can be changed for the other member by member.
  protocols: [{ name: "RoundRobinAssigner", version: 0 }],
});
