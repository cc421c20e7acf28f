import { Producer as Client, ProduceAcks } from "@platformatic/kafka";
import type { BaseOptions } from "@platformatic/kafka";
import type { OutgoingRecord } from "../flow/ports.ts";
import { withDeadline } from "./kafka-deadline.ts";
import type { Writer } from "./kafka-gather.ts";
import { placed, type Placed, requests } from "./kafka-records.ts";
import { spokenOut } from "./platformatic-errors.ts";
import type { Partitioner } from "./platformatic-records.ts";
import { bases, outgoing, partitioner } from "./platformatic-records.ts";

/** One client and the sends that still run on it. */
type Session = { client: Client; running: Set<Promise<unknown>> };

/**
 * acks=all without idempotence, as with kafkajs: after a lost answer a record may stand in the log twice, never less than
 * once. Its idempotent sends reuse a sequence number when one fails beside others, which the broker takes for a repetition.
 * After any rejection the client is replaced.
 */
export function createWriter(options: BaseOptions, giveUpMs: number): Writer {
  let current: Session | null = null;
  let turn = 0;

  const open = (): Session => {
    const client = new Client({ ...options, metadataMaxAge: 60_000, acks: ProduceAcks.ALL, compression: "zstd" });
    client.on("error", () => undefined);
    return { client, running: new Set() };
  };

  const retire = async (session: Session): Promise<void> => {
    if (current === session) current = null;
    while (session.running.size > 0) await Promise.all(session.running);
    await session.client.close().catch(() => undefined);
  };

  const write = async ({ client }: Session, records: readonly OutgoingRecord[]): Promise<Placed[]> => {
    const place = await partitionsOf(client, records, (turn += 1));
    const parts: Placed[] = [];
    for (const request of requests(records)) {
      const messages = outgoing(request, place);
      const { offsets } = await client.send({ messages });
      parts.push(...placed(messages, bases(offsets ?? [])));
    }
    return parts;
  };

  return {
    async write(records) {
      const session = (current ??= open());
      const work = write(session, records);
      const settled = work.catch(() => undefined).finally(() => session.running.delete(settled));
      session.running.add(settled);
      try {
        const late = `Kafka did not answer within ${giveUpMs} ms: whether it was written is unknown`;
        return await withDeadline(work, giveUpMs, late);
      } catch (error) {
        void retire(session);
        throw spokenOut(error);
      }
    },
    async close() {
      if (current) await withDeadline(retire(current), giveUpMs, "").catch(() => undefined);
    },
  };
}

/** Asks for the topics' numbers of topic partitions where they are not known. */
export async function partitionsOf(
  client: Client,
  records: readonly OutgoingRecord[],
  turn: number,
): Promise<Partitioner> {
  const { topics } = await client.metadata({ topics: [...new Set(records.map(({ topic }) => topic))] });
  return partitioner(new Map([...topics].map(([topic, of]) => [topic, of?.partitionsCount ?? 0])), turn);
}
