import { ProducerFenced } from "../flow/ports.ts";
import type { OutgoingRecord, TransactionalProducer, Written } from "../flow/ports.ts";
import { withDeadline } from "./kafka-deadline.ts";

/** A client's way to transactions of one id, used for one at a time. */
export type TransactionalClient = {
  /** Takes the id now: fences whoever held it before and rolls back what they left open. */
  claim(): Promise<unknown>;
  transaction(records: readonly OutgoingRecord[]): Promise<Written[]>;
  close(): Promise<unknown>;
  /** Whether another process has taken the id. */
  isFenced(error: unknown): boolean;
  asError(error: unknown): Error;
};

/**
 * Opens the transactional id. One transaction a call, calls one after the other. Any failure ends the producer: what the
 * client counts on cannot be trusted after it.
 */
export async function inTurn(
  client: TransactionalClient,
  { id, giveUpMs }: { id: string; giveUpMs: number },
): Promise<TransactionalProducer> {
  const late = `Kafka did not finish a transaction of ${id} within ${giveUpMs} ms: its outcome is unknown`;
  let ended: Error | null = null;
  let tail: Promise<unknown> = Promise.resolve();

  const end = (cause: unknown): Error => {
    ended = client.isFenced(cause)
      ? new ProducerFenced(`another process opened ${id}`, { cause })
      : client.asError(cause);
    client.close().catch(() => undefined);
    return ended;
  };
  const once = async (records: readonly OutgoingRecord[]): Promise<Written[]> => {
    if (ended) throw new Error(`the transactional producer ${id} has ended: open a new one`, { cause: ended });
    if (records.length === 0) return [];
    try {
      return await withDeadline(client.transaction(records), giveUpMs, late);
    } catch (error) {
      throw end(error);
    }
  };

  try {
    await withDeadline(client.claim(), giveUpMs, late);
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
