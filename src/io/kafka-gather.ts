import type { OutgoingRecord, Producer, Written } from "../flow/ports.ts";
import { withDeadline } from "./kafka-deadline.ts";
import { isTransient } from "./kafka-errors.ts";
import { fits, latest, type Placed, sizeOf } from "./kafka-records.ts";

/** A client's way to the log, used for one write at a time. A rejection means *unknown*, for all of the records. */
export type Writer = {
  /** Resolves once every record is acknowledged, with where each stands, in their order. */
  write(records: readonly OutgoingRecord[]): Promise<Placed[]>;
  close(): Promise<void>;
};

type Waiting = {
  records: readonly OutgoingRecord[];
  bytes: number;
  sent: PromiseWithResolvers<Written[]>;
  /** Its caller has been told that the time is up. */
  late: boolean;
};

/** The sends that have waited longest and fit into one request, at least one. */
const nextGroup = (waiting: Waiting[]): Waiting[] => {
  let [bytes, records] = [0, 0];
  let count = 0;
  for (const one of waiting) {
    bytes += one.bytes;
    records += one.records.length;
    if (count > 0 && !fits(bytes, records)) break;
    count += 1;
  }
  return waiting.splice(0, count);
};

/**
 * Gathers the sends that arrive while a request is under way into the next one, because a request costs far more than a
 * record in it: alone, a send still goes out at once. Each is answered with its own offsets. Where one may be to
 * blame for a refusal (a record that no broker takes), each is sent again alone, so that only that one fails; those
 * beside it may then stand in the log twice, as after any lost answer.
 */
export const gathering = (writer: Writer, giveUpMs: number): Producer => {
  const waiting: Waiting[] = [];
  let working: Promise<void> | null = null;
  let closed = false;

  const write = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const placed = await writer.write(group.flatMap(({ records }) => records));
      let at = 0;
      for (const { records, sent } of group) sent.resolve(latest(placed.slice(at, (at += records.length))));
    } catch (error) {
      if (group.length > 1 && !isTransient(error)) for (const one of group) await write([one]);
      else for (const { sent } of group) sent.reject(error);
    }
  };

  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = nextGroup(waiting).filter(({ late }) => !late);
      if (group.length > 0) await write(group);
    }
    working = null;
  };

  return {
    async send(records) {
      if (closed) throw new Error("the producer is closed");
      if (records.length === 0) return [];
      const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
      const one: Waiting = { records, bytes, sent: Promise.withResolvers<Written[]>(), late: false };
      waiting.push(one);
      working ??= work();
      const message = `Kafka did not answer within ${giveUpMs} ms: whether it was written is unknown`;
      return withDeadline(one.sent.promise, giveUpMs, message).finally(() => (one.late = true));
    },
    async close() {
      closed = true;
      if (working) await withDeadline(working, giveUpMs, "").catch(() => undefined);
      await writer.close();
    },
  };
};
