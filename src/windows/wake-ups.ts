import { type TailDeps, followTail } from "../flow/tail.ts";

/**
 * Membership in the windows group: which athletes this worker fires, and a wake-up when one is touched. Nothing is
 * lost with a lost wake-up: the stage polls besides.
 */
export const followWakeUps = (
  deps: TailDeps,
  stage: { own(partitions: readonly number[]): void; wake(): void },
): Promise<void> =>
  followTail(deps, {
    assigned: (partitions) => stage.own(partitions.map((partition) => partition.topic_partition)),
    records: () => stage.wake(),
  });
