import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterMetadata, Consumer as Client, fetchV17 } from "@platformatic/kafka";
import { BUSY_WAIT_MS } from "./kafka-consumer.ts";
import { Unanswered } from "./kafka-errors.ts";
import { errorChain } from "./network-errors.ts";
import type { Asked, Reading } from "./platformatic-answers.ts";
import { handOver, lose } from "./platformatic-answers.ts";
import { lineIsDown } from "./platformatic-errors.ts";
import type { ReadLane } from "./platformatic-lanes.ts";
import { fetchOf } from "./platformatic-lanes.ts";

export type FetchOptions = {
  client: Client;
  topics: readonly string[];
  crashed: (error: unknown) => void;
  maxBytes: number;
  maxBytesPerPartition: number;
};

/** While everything assigned is read; a new assignment waits for the fetch under way, so shorter than kafkajs'. */
const REST_WAIT_MS = 500;
/** With nothing to read the line is still asked, so that a dead one shows. */
const IDLE_MS = 1000;
/** So many failures in a row that are not the line's end the member. */
const MOST_FAILURES = 10;

/** Fetches what the lanes ask for, one request a broker at a time. `wake` when a lane was opened. */
export function createFetching(reading: Reading, options: FetchOptions): { wake(): void; stop(): void } {
  const { client } = options;
  const busy = new Set<number>();
  const patience = createPatience(options);
  let stopped = false;
  let looking = false;
  let idle: NodeJS.Timeout | undefined;

  const wake = (): void => {
    if (stopped || looking) return;
    looking = true;
    setImmediate(() => void look());
  };

  /** At once while there is something to read; else the line is asked now and then. */
  const again = (): void => {
    if (stopped || busy.size > 0) return;
    if (reading.lanes.readable().length > 0) wake();
    else {
      idle ??= setTimeout(() => {
        idle = undefined;
        void client.metadata({ topics: [], forceUpdate: true }).then(reading.callbacks.fetched, nothing).then(again);
      }, IDLE_MS);
    }
  };

  const look = async (): Promise<void> => {
    try {
      for (const request of await requestsOf(reading, options)) if (!busy.has(request.node)) void fetchFrom(request);
    } catch (error) {
      await patience.failed(error);
    } finally {
      looking = false;
      again();
    }
  };

  const fetchFrom = async (request: Request): Promise<void> => {
    busy.add(request.node);
    try {
      await ask(reading, options, request);
      patience.answered();
    } catch (error) {
      await patience.failed(error);
    } finally {
      busy.delete(request.node);
      wake();
    }
  };

  return {
    wake,
    stop() {
      stopped = true;
      clearTimeout(idle);
    },
  };
}

const nothing = (): void => undefined;

/** Waits longer after each failure in a row, and gives up after some that are not the line's. */
function createPatience({ client, crashed }: FetchOptions): {
  answered(): void;
  failed(error: unknown): Promise<void>;
} {
  let failures = 0;
  return {
    answered: () => void (failures = 0),
    async failed(error) {
      client.clearMetadata();
      failures += 1;
      if (failures >= MOST_FAILURES && !lineIsDown(error)) crashed(error);
      // Not after the first: after an error the broker may have forgotten the fetch session, and only the next try tells.
      else if (failures > 1) await sleep(Math.min(50 * 2 ** failures, 2000));
    },
  };
}

type Request = { node: number; lanes: readonly ReadLane[]; cluster: ClusterMetadata };

/** One fetch. Throws what is wrong with it, or with a part of it, after the rest was handed over. */
async function ask(reading: Reading, options: FetchOptions, { node, lanes, cluster }: Request): Promise<void> {
  const ids = new Map([...cluster.topics].map(([topic, { id }]) => [topic, id]));
  const asked: Asked[] = lanes.map((lane) => ({ lane, turn: lane.turn, topic_id: ids.get(lane.topic) ?? "" }));
  const { client, maxBytes, maxBytesPerPartition } = options;
  const maxWaitTime = reading.lanes.allRead() ? REST_WAIT_MS : BUSY_WAIT_MS;
  const topics = fetchOf(lanes, ids, maxBytesPerPartition);
  const answer = await client.fetch({ node, topics, maxWaitTime, maxBytes }).catch(answerWithin);
  const fault = handOver(reading, answer, asked);
  if (fault) throw fault;
  reading.callbacks.fetched();
}

/** Lanes whose topic is the one they were reading; the others have lost their place: under a new id it is another log. */
const current = (reading: Reading, cluster: ClusterMetadata): ReadLane[] =>
  reading.lanes.readable().filter((lane) => {
    const id = cluster.topics.get(lane.topic)?.id;
    if (id === undefined) throw new Unanswered(`${lane.topic} is not there`);
    const same = lane.topic_id === null || lane.topic_id === id;
    lane.topic_id = id;
    if (!same) lose(reading, lane);
    return same;
  });

/** One topic partition's error rejects the answer for all of them, with the answer inside. */
function answerWithin(error: unknown): fetchV17.FetchResponse {
  for (const each of errorChain(error)) {
    if (typeof each === "object" && each !== null && "response" in each) return each.response as fetchV17.FetchResponse;
  }
  throw error;
}

/** What to fetch, by the broker that leads it. */
async function requestsOf(reading: Reading, { client, topics }: FetchOptions): Promise<Request[]> {
  if (reading.lanes.readable().length === 0) return [];
  const cluster = await client.metadata({ topics: [...topics] });
  const out = new Map<number, ReadLane[]>();
  for (const lane of current(reading, cluster)) {
    const leader = cluster.topics.get(lane.topic)?.partitions[lane.topic_partition]?.leader ?? -1;
    if (!cluster.brokers.has(leader)) throw new Unanswered(`${lane.topic} ${lane.topic_partition} has no leader`);
    out.set(leader, [...(out.get(leader) ?? []), lane]);
  }
  return [...out].map(([node, lanes]) => ({ node, lanes, cluster }));
}
