import type { FetchedBatch, GroupConsumer, TopicPartition } from "../../src/flow/ports.ts";
import type { KafkaClient } from "../../src/io/kafka-client.ts";
import type { ConsumerOptions } from "../../src/io/kafka-consumer.ts";

/** A group member that writes down what its callbacks are told, and acts only through `on`. */
export type Member = GroupConsumer & {
  assignments: TopicPartition[][];
  batches: FetchedBatch[];
  suspects: (TopicPartition | null)[];
  crashes: Error[];
  fetches: number;
  /** Called inside the callback, as the runner is. */
  on: { assigned?: (partitions: TopicPartition[]) => void; batch?: (batch: FetchedBatch) => void };
  begin(): Promise<void>;
};

export function makeMember(kafka: KafkaClient, options: ConsumerOptions): Member {
  const consumer = kafka.consumer(options);
  const member: Member = {
    ...consumer,
    assignments: [],
    batches: [],
    suspects: [],
    crashes: [],
    fetches: 0,
    on: {},
    begin: () =>
      consumer.start({
        assigned(partitions) {
          member.assignments.push(partitions);
          member.on.assigned?.(partitions);
        },
        batch(batch) {
          member.batches.push(batch);
          member.on.batch?.(batch);
        },
        suspect: (partition) => member.suspects.push(partition),
        fetched: () => (member.fetches += 1),
        crashed: (error) => member.crashes.push(error),
      }),
  };
  return member;
}

/** Waits until `done` holds, failing with `what` after `seconds`. */
export async function until(what: string, done: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`still waiting after ${seconds} s: ${what}`);
    await sleep(20);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
