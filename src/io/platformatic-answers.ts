import type { fetchV17 } from "@platformatic/kafka";
import type { GroupConsumer } from "../flow/ports.ts";
import { Unanswered } from "./kafka-errors.ts";
import type { ReadLane, ReadLanes } from "./platformatic-lanes.ts";
import { readable } from "./platformatic-records.ts";

type Callbacks = Parameters<GroupConsumer["start"]>[0];
export type Reading = { lanes: ReadLanes; callbacks: Pick<Callbacks, "batch" | "suspect" | "fetched"> };
/** A lane as it was when its fetch began. */
export type Asked = { lane: ReadLane; turn: number; topic_id: string };

const OFFSET_OUT_OF_RANGE = 1;

const placeOf = ({ topic, topic_partition }: ReadLane) => ({ topic, topic_partition });

/** Its place is not in the log any more: nothing is read until whoever holds it has looked. */
export const lose = ({ lanes, callbacks }: Reading, lane: ReadLane): void => {
  lanes.set([lane], false);
  callbacks.suspect(placeOf(lane));
};

/** Hands over what came, and answers what is wrong with the rest. */
export function handOver(reading: Reading, answer: fetchV17.FetchResponse, asked: readonly Asked[]): Unanswered | null {
  let fault = answer.errorCode === 0 ? null : new Unanswered(`a fetch was refused with error ${answer.errorCode}`);
  for (const { topicId, partitions } of answer.responses) {
    for (const partition of partitions) {
      const one = asked.find(
        ({ lane, topic_id }) => topic_id === topicId && lane.topic_partition === partition.partitionIndex,
      );
      // Sought, paused or assigned anew since: what came is not what is asked for now.
      if (!one || reading.lanes.get(one.lane) !== one.lane || one.lane.turn !== one.turn) continue;
      if (partition.errorCode === OFFSET_OUT_OF_RANGE) lose(reading, one.lane);
      else if (partition.errorCode === 0) deliver(reading, one.lane, partition);
      else fault = new Unanswered(`${one.lane.topic} ${partition.partitionIndex}: fetch error ${partition.errorCode}`);
    }
  }
  return fault;
}

function deliver({ callbacks }: Reading, lane: ReadLane, answer: fetchV17.FetchResponsePartition): void {
  const { records, next } = readable(placeOf(lane), answer, lane.next);
  if (records.length === 0) {
    lane.next = next;
    return;
  }
  const high_watermark = Number(answer.highWatermark);
  callbacks.batch({ ...placeOf(lane), fetched_from: lane.asked ?? lane.next, records, high_watermark });
}
