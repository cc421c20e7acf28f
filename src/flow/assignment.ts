import type { Lane } from "./lanes.ts";
import { laneKey } from "./lanes.ts";
import type { Clock, Database, LogInfo, TopicPartition } from "./ports.ts";
import { Refusal, misfit, takeOver, wayOut } from "./positions.ts";

/**
 * Where a worker has died, so many records go one at a time. One that kills and lies further on kills again, from a
 * position that is nearer.
 */
const CAUTIOUS_RECORDS = 1000;

export type OpenDeps = { db: Database; log: LogInfo; group: string; clock: Clock };

/**
 * Takes topic partitions over: epochs raised, positions read, checked against the log's bounds.
 * Throws Refusal when a stored position does not fit the log.
 */
export const openLanes = async (deps: OpenDeps, partitions: readonly TopicPartition[]): Promise<Lane[]> => {
  if (partitions.length === 0) return [];
  const clusterId = await deps.log.clusterId();
  // The positions first: their former owner can move them until its epoch is gone, and then only within these bounds.
  const places = await takeOver(deps.db, deps.group, partitions);
  const topics = [...new Set(partitions.map((p) => p.topic))];
  const bounds = new Map(
    await Promise.all(topics.map(async (topic) => [topic, await deps.log.bounds(topic)] as const)),
  );
  return places.map((place) => {
    const range = bounds.get(place.topic)?.get(place.topic_partition);
    if (!range) throw new Refusal(`${laneKey(place)} is not in the cluster; run \`health-sync topics apply\``);
    const reason = misfit(place, range, clusterId);
    if (reason !== null) throw new Refusal(`${reason}; ${wayOut}`);
    const position = place.position ?? range.low;
    const now = deps.clock.now();
    return {
      topic: place.topic,
      topic_partition: place.topic_partition,
      state: "loading",
      epoch: place.epoch,
      position,
      // Retention may rightly have removed everything up to the position: then the bounds are the only proof.
      fingerprint: position > range.low ? place.fingerprint : null,
      cluster_id: clusterId,
      crashed_offset: place.crashed_offset,
      attempts: place.attempts,
      cautious_until: place.attempts > 0 ? position + CAUTIOUS_RECORDS : position,
      counted: false,
      owes: false,
      tailing: false,
      proven: false,
      revoked: false,
      lag: range.high - position,
      progressed_at: now,
      busy_since: null,
    };
  });
};

/** A lane's batch did not come from where it was asked: go on if the bounds allow it, otherwise refuse. */
export const reconsider = async (deps: OpenDeps, lane: Lane): Promise<void> => {
  const range = (await deps.log.bounds(lane.topic)).get(lane.topic_partition);
  if (!range) throw new Refusal(`${laneKey(lane)} is gone from the cluster; ${wayOut}`);
  const reason = misfit({ ...lane, position: lane.position }, range, await deps.log.clusterId());
  if (reason !== null) throw new Refusal(`${reason}; ${wayOut}`);
  if (lane.position === range.low) lane.fingerprint = null;
  lane.tailing = false;
  lane.proven = false;
};
