import { laneKey } from "../flow/lanes.ts";
import type { FetchedBatch, GroupConsumer, LogInfo, TopicPartition } from "../flow/ports.ts";
import type { Place } from "./replay-store.ts";

/**
 * A consumer that knows nothing but the ranges: topic partitions without one are never assigned, what lies at the end
 * of one or behind is not there, and a range read to its end is not fetched any more. At most `burst` records a batch.
 * Kafka's own offsets of the group stay untouched.
 */
export const rangedConsumer = (inner: GroupConsumer, places: readonly Place[], burst: number): GroupConsumer => {
  const ends = new Map(places.map((place) => [laneKey(place), place.to]));
  const next = new Map(places.map((place) => [laneKey(place), place.position]));
  const isOpen = (at: TopicPartition): boolean => (next.get(laneKey(at)) ?? 0) < (ends.get(laneKey(at)) ?? 0);
  const cut = (batch: FetchedBatch): FetchedBatch => {
    const to = ends.get(laneKey(batch)) ?? 0;
    const records = batch.records.filter((record) => record.offset < to);
    // One more than the burst: the first record may be the proof that the log is the same.
    return { ...batch, records: records.slice(0, burst + 1), high_watermark: Math.min(batch.high_watermark, to) };
  };
  return {
    start: (callbacks) =>
      inner.start({
        ...callbacks,
        assigned: (partitions) => callbacks.assigned(partitions.filter(isOpen)),
        batch: (batch) => callbacks.batch(cut(batch)),
      }),
    seek(at, offset) {
      next.set(laneKey(at), offset);
      if (isOpen(at)) inner.seek(at, offset);
    },
    pause: (partitions) => inner.pause(partitions),
    resume(partitions) {
      const open = partitions.filter(isOpen);
      if (open.length > 0) inner.resume(open);
    },
    commit(at, position) {
      // The next seek would ask for the last record once more, only to prove it.
      if (position >= (ends.get(laneKey(at)) ?? 0)) ends.set(laneKey(at), -1);
    },
    stop: () => inner.stop(),
  };
};

/** The log as far as the ranges go: lag is what is left of them. */
export const rangedLog = (inner: LogInfo, places: readonly Place[]): LogInfo => ({
  clusterId: () => inner.clusterId(),
  bounds: async (topic) => {
    const bounds = await inner.bounds(topic);
    for (const place of places) {
      const found = place.topic === topic ? bounds.get(place.topic_partition) : undefined;
      if (!found) continue;
      const low = Math.max(found.low, place.from);
      bounds.set(place.topic_partition, { low, high: Math.min(found.high, place.to) });
    }
    return bounds;
  },
});
