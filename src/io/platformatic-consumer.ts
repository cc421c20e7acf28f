import { Consumer as Client } from "@platformatic/kafka";
import type { BaseOptions } from "@platformatic/kafka";
import type { GroupConsumer } from "../flow/ports.ts";
import type { ConsumerOptions } from "./kafka-consumer.ts";
import { withDeadline } from "./kafka-deadline.ts";
import type { KafkaLog } from "./kafka-log.ts";
import { spokenOut } from "./platformatic-errors.ts";
import { createFetching } from "./platformatic-fetch.ts";
import { createMembership } from "./platformatic-group.ts";
import { createLanes } from "./platformatic-lanes.ts";

/**
 * A member of a group with its positions kept elsewhere (kafka-client.md). A fetch begins where `seek` last pointed, again
 * and again until the next `seek`; a topic partition is read only between `resume` and `pause`.
 */
export function createConsumer(
  base: { group: BaseOptions; fetch: BaseOptions },
  options: ConsumerOptions,
  log: KafkaLog,
): GroupConsumer {
  const lanes = createLanes();
  const group = createMembership(base.group, options, log);
  const reader = new Client({ ...base.fetch, groupId: options.group, metadataMaxAge: 60_000 });
  let fetching: ReturnType<typeof createFetching> | null = null;
  let over = false;

  const end = (): void => {
    over = true;
    lanes.assign([]);
    fetching?.stop();
  };

  return {
    async start(callbacks) {
      const crashed = (error: unknown): void => {
        if (over) return;
        end();
        callbacks.crashed(spokenOut(error));
      };
      reader.on("error", () => undefined);
      reader.topics.trackAll(...options.topics);
      fetching = createFetching(
        { lanes, callbacks },
        { client: reader, topics: options.topics, crashed, ...limits(options) },
      );
      const assigned = (partitions: Parameters<typeof callbacks.assigned>[0]): void => {
        if (over) return;
        lanes.assign(partitions);
        callbacks.assigned(partitions);
      };
      await group.start({ assigned, crashed }).catch((error: unknown) => {
        throw spokenOut(error);
      });
      fetching.wake();
    },
    seek: (at, offset) => lanes.seek(at, offset),
    pause: (partitions) => lanes.set(partitions, false),
    resume(partitions) {
      lanes.set(partitions, true);
      fetching?.wake();
    },
    commit: (at, position) => group.commit(at, position),
    async stop() {
      end();
      await withDeadline(Promise.all([group.close(), reader.close()]), 10_000, "").catch(() => undefined);
    },
  };
}

const limits = (options: ConsumerOptions) => ({
  maxBytes: options.maxBytes ?? 4 * 1024 * 1024,
  maxBytesPerPartition: options.maxBytesPerPartition ?? 512 * 1024,
});
