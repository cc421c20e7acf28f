import { Producer as Client, addPartitionsToTxnV3, kGetApi } from "@platformatic/kafka";
import type { BaseOptions } from "@platformatic/kafka";
import type { OutgoingRecord, TransactionalProducer, Written } from "../flow/ports.ts";
import { inTurn } from "./kafka-in-turn.ts";
import { latest, placed, type Placed, requests } from "./kafka-records.ts";
import { hasCode, spokenOut } from "./platformatic-errors.ts";
import { partitionsOf } from "./platformatic-producer.ts";
import { bases, outgoing } from "./platformatic-records.ts";

/** No producer id is held yet: the library's own default, 0, is one that somebody else may hold. */
const NONE = { producerId: -1n, producerEpoch: -1 };

/** The library's way to transactions of one id. */
export function createTransactional(
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
  let turn = 0;
  const way = {
    // Takes the id and its epoch now; nothing is in the transaction, so there is nothing to end.
    claim: async () => (await client.beginTransaction(NONE)).cancel(),
    transaction: (records: readonly OutgoingRecord[]) => transaction(client, records, (turn += 1)),
    close: () => client.close(),
    isFenced: (cause: unknown) => hasCode(cause, "INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"),
    asError: spokenOut,
  };
  return inTurn(way, { id, giveUpMs });
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
