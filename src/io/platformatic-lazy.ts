import type { GroupConsumer, Producer } from "../flow/ports.ts";
import type { KafkaClient, KafkaOptions } from "./kafka-client.ts";
import type { PlatformaticClient } from "./platformatic-client.ts";

const PRODUCE_MS = 10_000;
const TRANSACTION_MS = 30_000;

/** Reads and writes by @platformatic/kafka, which is loaded with the first use of any of these. */
export function onPlatformatic(options: KafkaOptions): Pick<KafkaClient, "producer" | "transactional" | "consumer"> {
  let loaded: Promise<PlatformaticClient> | undefined;
  const library = (): Promise<PlatformaticClient> =>
    (loaded ??= import("./platformatic-client.ts").then(({ createPlatformatic }) => createPlatformatic(options)));
  return {
    producer: ({ giveUpMs = PRODUCE_MS } = {}) => lazyProducer(async () => (await library()).producer(giveUpMs)),
    transactional: async (id, { giveUpMs = TRANSACTION_MS } = {}) => (await library()).transactional(id, giveUpMs),
    consumer: (asked) => lazyConsumer(async () => (await library()).consumer(asked)),
  };
}

function lazyProducer(open: () => Promise<Producer>): Producer {
  let producer: Promise<Producer> | undefined;
  return {
    send: async (records) => (await (producer ??= open())).send(records),
    close: async () => (await producer)?.close(),
  };
}

/** A member begins with `start`: nothing can be asked of it before. */
function lazyConsumer(open: () => Promise<GroupConsumer>): GroupConsumer {
  let member: GroupConsumer | undefined;
  let stopped = false;
  return {
    async start(callbacks) {
      member = await open();
      if (!stopped) await member.start(callbacks);
    },
    seek: (at, offset) => member?.seek(at, offset),
    pause: (partitions) => member?.pause(partitions),
    resume: (partitions) => member?.resume(partitions),
    commit: (at, position) => member?.commit(at, position),
    async stop() {
      stopped = true;
      await member?.stop();
    },
  };
}
