import type { GroupConsumer, LogInfo, RawRecord, TopicPartition } from "./ports.ts";

export type TailDeps = {
  consumer: GroupConsumer;
  log: Pick<LogInfo, "bounds">;
  crashed: (error: Error) => void;
};

export type TailReader = {
  /** What this member reads from now on; nothing of what it had before. */
  assigned(partitions: readonly TopicPartition[]): void;
  records(records: readonly RawRecord[]): void;
};

/**
 * Reads topics from their ends on and keeps no position: for what is only news, and costs time at most when it is
 * lost. Resolves once the member has been started.
 */
export const followTail = async ({ consumer, log, crashed }: TailDeps, reader: TailReader): Promise<void> => {
  let generation = 0;
  const follow = async (partitions: TopicPartition[]): Promise<void> => {
    generation += 1;
    const mine = generation;
    reader.assigned(partitions);
    for (const [topic, own] of Map.groupBy(partitions, (partition) => partition.topic)) {
      const bounds = await log.bounds(topic);
      if (mine !== generation) return;
      for (const partition of own) consumer.seek(partition, bounds.get(partition.topic_partition)?.high ?? 0);
      consumer.resume(own);
    }
  };
  await consumer.start({
    assigned: (partitions) => {
      // Without the ends there is no news until the next assignment; whoever reads this polls besides.
      follow(partitions).catch(() => undefined);
    },
    batch: (batch) => {
      consumer.pause([batch]);
      const last = batch.records.at(-1);
      consumer.seek(batch, last ? last.offset + 1 : batch.fetched_from);
      consumer.resume([batch]);
      if (last) reader.records(batch.records);
    },
    suspect: () => undefined,
    fetched: () => undefined,
    crashed,
  });
};
