import { ProducerFenced } from "../flow/ports.ts";
import type { Clock, Codec, Database, OnStep, Producer, Telemetry, TransactionalProducer } from "../flow/ports.ts";
import { PLAIN_LANE } from "../flow/outbox.ts";
import { deleteRows, encodeRows, readRows } from "./rows.ts";

/** Steps of one turn of a lane, in order. `opened` comes before `read`: see `turn`. */
export const RELAY_STEPS = [
  "relay.claimed",
  "relay.opened",
  "relay.read",
  "relay.encoded",
  "relay.sent",
  "relay.deleted",
] as const;

export type RelayDeps = {
  db: Database;
  codec: Codec;
  clock: Clock;
  /** Opens a producer and initialises its transactional id at the broker, which fences every older one. */
  openTransactional(id: string): Promise<TransactionalProducer>;
  openPlain(): Promise<Producer>;
  telemetry: Telemetry;
  onStep: OnStep;
  /** Names this process in outbox_shards: unique. */
  owner: string;
  /** The environment's topic prefix, also that of transactional ids. */
  prefix: string;
  /** Whether the relay is told when there is something to send (`wake`); where it is not, it looks often. */
  heard?: () => boolean;
  leaseMs?: number;
  pollMs?: number;
};

export type Turn = "idle" | "worked" | "failed" | "fenced";

/** One lane of the outbox held by this process. */
export type Lane = {
  turn(): Promise<Turn>;
  close(): Promise<void>;
};

const BACK_OFF_MS = { first: 250, most: 10_000 };

/**
 * A turn sends the lane's oldest rows in one Kafka transaction and then deletes exactly those.
 *
 * The producer is opened (which fences every older one of the shard) *before* rows are read, and rows are sent only by
 * the producer that was open when they were read. So whoever sleeps between read and send is fenced if a successor
 * came, and whoever opens after a successor's send reads what that one left: rows it sees again end with the newest of
 * each key (I6). A failed send ends its producer, because the outcome is unknown (kafka-client.md, rule P).
 */
export const openLane = (deps: RelayDeps, shard: number): Lane => {
  let producer: Producer | null = null;
  let failures = 0;
  let notBefore = 0;

  const close = async (): Promise<void> => {
    const old = producer;
    producer = null;
    // A producer that failed may fail to close as well; it is not used again either way.
    await old?.close().catch(() => undefined);
  };
  const back = async (event: string, error: unknown, fields: Record<string, unknown> = {}): Promise<Turn> => {
    await close();
    const wait = Math.min(BACK_OFF_MS.first * 2 ** failures, BACK_OFF_MS.most);
    failures += 1;
    notBefore = deps.clock.now() + wait;
    deps.telemetry.warn(event, { shard, error, attempt: failures, next_try_ms: wait, ...fields });
    return error instanceof ProducerFenced ? "fenced" : "failed";
  };
  const open = async (): Promise<Producer> =>
    shard === PLAIN_LANE ? deps.openPlain() : deps.openTransactional(`${deps.prefix}outbox-${shard}`);

  const turn = async (): Promise<Turn> => {
    if (deps.clock.now() < notBefore) return "idle";
    try {
      producer ??= await open();
      await deps.onStep("relay.opened");
      const rows = await readRows(deps.db, shard);
      await deps.onStep("relay.read");
      if (rows.length === 0) return "idle";
      const started = deps.clock.now();
      const { records, ids, failed } = await encodeRows(deps.codec, rows);
      await deps.onStep("relay.encoded");
      if (records.length > 0) {
        await producer.send(records);
        await deps.onStep("relay.sent");
        await deleteRows(deps.db, ids);
        await deps.onStep("relay.deleted");
        deps.telemetry.time("publish_ms", { shard: String(shard) }, deps.clock.now() - started);
        for (const { topic } of records) deps.telemetry.count("events", { topic, fate: "sent" });
      }
      // A row that cannot be encoded is a bug (or the registry is away): the lane stands still, loudly, and is tried again.
      if (failed) {
        deps.telemetry.gauge("refused", { part: "relay", shard: String(shard) }, 1);
        return await back("relay.stuck", failed.error, { topic: failed.row.topic, from: failed.row.id });
      }
      failures = 0;
      deps.telemetry.gauge("refused", { part: "relay", shard: String(shard) }, 0);
      return "worked";
    } catch (error) {
      return back("relay.failed", error);
    }
  };
  return { turn, close };
};
