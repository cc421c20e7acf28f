import { Producer as Client, addPartitionsToTxnV3, kGetApi } from "@platformatic/kafka";
import type { BaseOptions } from "@platformatic/kafka";
import { ProducerFenced } from "../flow/ports.ts";
import type { OutgoingRecord, TransactionalProducer, Written } from "../flow/ports.ts";
import { withDeadline } from "./kafka-deadline.ts";
import { latest, placed, type Placed, requests } from "./kafka-records.ts";
import { hasCode, spokenOut } from "./platformatic-errors.ts";
import { partitionsOf } from "./platformatic-producer.ts";
import { bases, outgoing } from "./platformatic-records.ts";

/** No producer id is held yet: the library's own default, 0, is one that somebody else may hold. */
const NONE = { producerId: -1n, producerEpoch: -1 };

/**
 * Opens the transactional id, which fences whoever held it before and rolls back what they left open.
 * One transaction a call, calls one after the other. Any failure ends the producer.
 */
export async function createTransactional(
  options: BaseOptions,
  id: string,
  giveUpMs: number,
): Promise<TransactionalProducer> {
  const client = new Client({
    ...options,
    metadataMaxAge: 60_000,
    transactionalId: id,
    idempotent: true,
    compression: "zstd",
  });
  client.on("error", () => undefined);
  askAsClient(client);
  const late = `Kafka did not finish a transaction of ${id} within ${giveUpMs} ms: its outcome is unknown`;
  let ended: Error | null = null;
  let tail: Promise<unknown> = Promise.resolve();
  let turn = 0;

  const end = (cause: unknown): Error => {
    ended = hasCode(cause, "INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED")
      ? new ProducerFenced(`another process opened ${id}`, { cause })
      : spokenOut(cause);
    client.close().catch(() => undefined);
    return ended;
  };
  const once = async (records: readonly OutgoingRecord[]): Promise<Written[]> => {
    if (ended) throw new Error(`the transactional producer ${id} has ended: open a new one`, { cause: ended });
    if (records.length === 0) return [];
    try {
      return await withDeadline(transaction(client, records, (turn += 1)), giveUpMs, late);
    } catch (error) {
      throw end(error);
    }
  };

  try {
    // Takes the id and its epoch now; nothing is in the transaction, so there is nothing to end.
    const claimed = await withDeadline(client.beginTransaction(NONE), giveUpMs, late);
    await claimed.cancel();
  } catch (error) {
    throw end(error);
  }
  return {
    send(records) {
      const sent = tail.then(() => once(records));
      tail = sent.catch(() => undefined);
      return sent;
    },
    async close() {
      ended ??= new Error("closed");
      await withDeadline(client.close(), giveUpMs, late).catch(() => undefined);
    },
  };
}

async function transaction(client: Client, records: readonly OutgoingRecord[], turn: number): Promise<Written[]> {
  const place = await partitionsOf(client, records, turn);
  const begun = await client.beginTransaction();
  const parts: Placed[] = [];
  for (const request of requests(records)) {
    const messages = outgoing(request, place);
    const { offsets } = await begun.send({ messages });
    parts.push(...placed(messages, bases(offsets ?? [])));
  }
  await begun.commit();
  return latest(parts);
}

/**
 * Versions of this request above 3 are for brokers, and the library takes the highest: a cluster that checks rights would
 * want those of a broker for it.
 */
function askAsClient(client: Client): void {
  const known = client[kGetApi].bind(client);
  client[kGetApi] = (name, callback) => {
    if (name === "AddPartitionsToTxn") callback(null, addPartitionsToTxnV3.api as never);
    else known(name, callback);
  };
}
