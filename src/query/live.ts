import type { Codec, GroupConsumer, LogInfo, RawRecord } from "../flow/ports.ts";
import { type Route, unavailable } from "../flow/route.ts";
import { followTail } from "../flow/tail.ts";
import type { TopicNames } from "../flow/topics.ts";
import { type Change, changeOf } from "./changes.ts";
import { type Listener, type Listeners, createListeners } from "./live-listeners.ts";

export type LiveDeps = {
  codec: Codec;
  topics: TopicNames;
  log: Pick<LogInfo, "bounds">;
  /** A member of a group of its own: every api process reads all of the topics. */
  openConsumer: () => GroupConsumer;
  /** Ends every stream: the process drains. */
  signal: AbortSignal;
};

const HEARTBEAT_MS = 15_000;
const MOST_READERS = 1_000;

/** Server-sent events: `event: metric` or `session`, the revision as its id. A comment keeps the line open. */
export const eventText = ({ kind, revision, key, data }: Change): string =>
  `id: ${revision}\nevent: ${kind}\ndata: ${JSON.stringify(data === null ? { ...key, removed: true } : data)}\n\n`;

/** The one consumer behind all streams, started for the first of them, and anew after it failed. */
const createFeed = (deps: LiveDeps, listeners: Listeners) => {
  let running: Promise<void> | null = null;
  let consumer: GroupConsumer | null = null;
  let order: Promise<void> = Promise.resolve();
  const failed = (): void => {
    running = null;
    listeners.endAll();
  };
  const deliver = async (records: readonly RawRecord[]): Promise<void> => {
    for (const record of records) {
      const athleteId = record.key?.toString("utf8").split("|")[0];
      if (athleteId === undefined || !listeners.has(athleteId)) continue;
      const change = await changeOf(deps.codec, deps.topics, record);
      if (change) listeners.tell(change);
    }
  };
  const start = async (): Promise<void> => {
    consumer = deps.openConsumer();
    const assigned = Promise.withResolvers<void>();
    const reader = {
      assigned: () => assigned.resolve(),
      records: (records: readonly RawRecord[]) => {
        order = order.then(() => deliver(records)).catch(failed);
      },
    };
    await followTail({ consumer, log: deps.log, crashed: failed }, reader);
    await assigned.promise;
  };
  deps.signal.addEventListener("abort", () => {
    listeners.endAll();
    void consumer?.stop();
  });
  return async (): Promise<void> => {
    running ??= start();
    try {
      await running;
    } catch (cause) {
      running = null;
      throw unavailable("Kafka is away: ask again", 5, cause);
    }
  };
};

const newsOrHeartbeat = async (listener: Listener): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, HEARTBEAT_MS);
  listener.wake = resolve;
  if (listener.waiting.length > 0 || listener.ended) resolve();
  await promise;
  clearTimeout(timer);
};

async function* streamOf(listeners: Listeners, athleteId: string): AsyncGenerator<string> {
  const listener = listeners.add(athleteId);
  try {
    yield ": listening\n\n";
    while (!listener.ended) {
      await newsOrHeartbeat(listener);
      const changes = listener.waiting.splice(0);
      if (changes.length === 0 && !listener.ended) yield ": still here\n\n";
      for (const change of changes) yield eventText(change);
    }
  } finally {
    listeners.remove(athleteId, listener);
  }
}

/**
 * `GET …/live`: changes of an athlete's metrics and sessions as they are published. News only: a reader that was away
 * reads the tables first (`/metrics`, `/sleep`), and keeps the higher revision of what it sees twice.
 */
export const liveRoute = (deps: LiveDeps): Route => {
  const listeners = createListeners();
  const feeding = createFeed(deps, listeners);
  return {
    method: "GET",
    path: "/v1/athletes/{athlete_id}/live",
    scope: "read",
    summary: "Server-sent events: metrics and sleep sessions as they change; a removed row says `removed`",
    schema: { responses: { 200: { description: "text/event-stream" } } },
    handler: async (request) => {
      if (listeners.size() >= MOST_READERS) throw unavailable("too many readers here: ask again", 5);
      await feeding();
      return {
        status: 200,
        body: streamOf(listeners, request.athlete_id ?? ""),
        headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
      };
    },
  };
};
