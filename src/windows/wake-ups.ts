import type { GroupConsumer, LogInfo, TopicPartition } from "../flow/ports.ts";

/**
 * Membership in the windows group: which athletes this worker fires, and a wake-up when one is touched. Nothing is
 * lost with a lost wake-up, so it starts at the end of the log and keeps no position.
 */
export const followWakeUps = async (
  deps: { consumer: GroupConsumer; log: LogInfo; crashed: (error: Error) => void },
  stage: { own(partitions: readonly number[]): void; wake(): void },
): Promise<void> => {
  let generation = 0;
  const follow = async (partitions: TopicPartition[]): Promise<void> => {
    generation += 1;
    const mine = generation;
    stage.own(partitions.map((p) => p.topic_partition));
    const topic = partitions[0]?.topic;
    if (topic === undefined) return;
    const bounds = await deps.log.bounds(topic);
    if (mine !== generation) return;
    for (const partition of partitions) deps.consumer.seek(partition, bounds.get(partition.topic_partition)?.high ?? 0);
    deps.consumer.resume(partitions);
  };
  await deps.consumer.start({
    assigned: (partitions) => {
      // Without the ends there are no wake-ups, only polls.
      follow(partitions).catch(() => undefined);
    },
    batch: (batch) => {
      deps.consumer.pause([batch]);
      const last = batch.records.at(-1);
      deps.consumer.seek(batch, last ? last.offset + 1 : batch.fetched_from);
      deps.consumer.resume([batch]);
      if (last) stage.wake();
    },
    suspect: () => undefined,
    fetched: () => undefined,
    crashed: deps.crashed,
  });
};
