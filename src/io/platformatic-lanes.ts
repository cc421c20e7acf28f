import type { fetchV17 } from "@platformatic/kafka";
import type { TopicPartition } from "../flow/ports.ts";

/** What a member reads of a topic partition. A fetch under way counts only while `turn` is what it was at its start. */
export type ReadLane = TopicPartition & {
  open: boolean;
  /** Where `seek` pointed last; null before the first. */
  asked: number | null;
  /** Beyond `asked` only over what nobody is shown, such as markers of transactions. */
  next: number;
  turn: number;
  /** Of the topic that was read last under this name. */
  topic_id: string | null;
};

/** Topic partitions assigned to a member, by name. All are closed until sought and resumed. */
export type ReadLanes = {
  assign(partitions: readonly TopicPartition[]): void;
  seek(at: TopicPartition, offset: number): void;
  set(partitions: readonly TopicPartition[], open: boolean): void;
  get(at: TopicPartition): ReadLane | undefined;
  readable(): ReadLane[];
  /** Nothing that is assigned waits to be resumed. */
  allRead(): boolean;
};

const keyOf = ({ topic, topic_partition }: TopicPartition): string => `${topic}|${topic_partition}`;

const isReadable = ({ open, asked }: ReadLane): boolean => open && asked !== null;

export function createLanes(): ReadLanes {
  let lanes = new Map<string, ReadLane>();
  return {
    assign(partitions) {
      const fresh = partitions.map(({ topic, topic_partition }): ReadLane => ({
        topic,
        topic_partition,
        open: false,
        asked: null,
        next: 0,
        turn: 0,
        topic_id: null,
      }));
      lanes = new Map(fresh.map((lane) => [keyOf(lane), lane]));
    },
    seek(at, offset) {
      const lane = lanes.get(keyOf(at));
      if (lane) Object.assign(lane, { asked: offset, next: offset, turn: lane.turn + 1 });
    },
    set(partitions, open) {
      for (const at of partitions) {
        const lane = lanes.get(keyOf(at));
        if (lane) Object.assign(lane, { open, turn: lane.turn + 1 });
      }
    },
    get: (at) => lanes.get(keyOf(at)),
    readable: () => [...lanes.values()].filter(isReadable),
    allRead: () => [...lanes.values()].every(isReadable),
  };
}

/** A fetch of these lanes from where each stands. */
export function fetchOf(
  lanes: readonly ReadLane[],
  topicIds: ReadonlyMap<string, string>,
  partitionMaxBytes: number,
): fetchV17.FetchRequestTopic[] {
  const byTopic = new Map<string, fetchV17.FetchRequestTopic>();
  for (const { topic, topic_partition, next } of lanes) {
    const topicId = topicIds.get(topic) ?? "";
    const request = byTopic.get(topicId) ?? { topicId, partitions: [] };
    byTopic.set(topicId, request);
    request.partitions.push({
      partition: topic_partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(next),
      lastFetchedEpoch: -1,
      partitionMaxBytes,
    });
  }
  return [...byTopic.values()];
}
