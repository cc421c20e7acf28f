import { vi } from "vitest";
import { makeWorld } from "./member.ts";
import type { ModelMember } from "./member.ts";

export const later = (ms = 10) => vi.advanceTimersByTimeAsync(ms);
/** Fetches as the client's loop does, for so long. */
export const run = async (member: ModelMember, ms: number, partitions = [0]): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 100) {
    for (const partition of partitions) member.consumer.fetch(partition);
    await later(100);
  }
};
export const offsets = (world: ReturnType<typeof makeWorld>, partition = 0): number[] =>
  world.store.applied.filter((one) => one.partition === partition).map((one) => one.offset);
export const upTo = (end: number): number[] => Array.from({ length: end }, (_, n) => n);
export const filled = (count: number, partitions = 1) => {
  const world = makeWorld(partitions);
  for (let n = 0; n < count; n += 1) world.log.append(0);
  return world;
};
