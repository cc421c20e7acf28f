import type { Connections } from "./app.ts";
import { isTransient } from "./app.ts";
import { digest } from "./flow/digest.ts";
import type { DeadLetter } from "./flow/effects.ts";
import type { Outcome } from "./flow/outcome.ts";
import type { Producer, RawRecord } from "./flow/ports.ts";
import { publishBatch } from "./ingest/publish.ts";
import { retryEntry } from "./ingest/retry.ts";
import type { RetryDeps, Tried } from "./ops/dead-letters-retry.ts";
import { createReceiptStage } from "./staging/receipts.ts";
import { retryPart } from "./staging/retry.ts";
import { createStagingStage } from "./staging/stage.ts";

type Door = (letter: DeadLetter, dryRun: boolean) => Promise<Tried>;

const ACCEPTED: Tried = { kind: "accepted" };

/** An entry of a batch: decided alone, published only where nothing of it is refused. */
const entryDoor =
  ({ codec, topics }: Connections, producer: Producer): Door =>
  async (letter, dryRun) => {
    const retried = retryEntry(letter);
    if (retried.kind === "no") return { kind: "impossible", why: retried.why };
    const { decision } = retried;
    const [refused] = decision.answer.rejected;
    if (refused) return { kind: "refused", reason: refused.reason, path: refused.path, detail: refused.detail };
    if (!dryRun) await publishBatch({ producer, codec, topics, isTransient }, decision);
    return ACCEPTED;
  };

/** A part of a chunk: in a chunk of its own, to the topic that it came on. */
const partDoor =
  ({ codec }: Connections, producer: Producer): Door =>
  async (letter, dryRun) => {
    const retried = retryPart(letter);
    if (retried.kind === "no") return { kind: "impossible", why: retried.why };
    if (retried.kind === "refused") return retried;
    const { chunk } = retried;
    const topic = letter.origin.topic ?? "";
    if (!dryRun) {
      const value = await codec.encode(topic, chunk);
      await producer.send([{ topic, key: chunk.athlete_id, value, headers: { batch_id: chunk.batch_id } }]);
    }
    return ACCEPTED;
  };

/** A whole record: read again as its stage does, and written to its topic again once it can be read. */
const recordDoor = (connections: Connections, producer: Producer): Door => {
  const { codec, topics } = connections;
  const chunks = createStagingStage({ codec, digest, onStep: () => undefined, wake: () => undefined }, "backfill");
  const readers = new Map<string, (record: RawRecord) => ReturnType<typeof chunks.decode>>(
    (["samples", "sleep", "backfill"] as const).map((name) => [topics(name), (record) => chunks.decode(record)]),
  );
  const receipts = createReceiptStage(codec);
  return async ({ origin, payload, reason, first_seen_at }, dryRun) => {
    const topic = origin.topic ?? "";
    const decode = topic === topics("batches") ? (record: RawRecord) => receipts.decode(record) : readers.get(topic);
    if (!decode) return { kind: "impossible", why: `${topic} is none of the topics that staging reads` };
    if (reason === "wrong_key") {
      return {
        kind: "impossible",
        why: "its producer sent it under another key than its athlete's: have it sent again",
      };
    }
    if (payload.length === 0) return { kind: "impossible", why: "the record had no value" };
    const value = Buffer.from(payload);
    const read = await codec.decode(topic, value);
    if (read.kind !== "ok") return refusedAs(read);
    const key = String((read.value as { athlete_id?: unknown }).athlete_id);
    const place = { topic, topic_partition: 0, offset: 0, timestamp: first_seen_at, headers: {} };
    const outcome = await decode({ ...place, key: Buffer.from(key), value });
    if (outcome.kind !== "ok") return refusedAs(outcome);
    const headers = origin.batch_id === null ? {} : { batch_id: origin.batch_id };
    if (!dryRun) await producer.send([{ topic, key, value, headers }]);
    return ACCEPTED;
  };
};

type Unread = Exclude<Outcome<unknown>, { kind: "ok" }>;

const refusedAs = (outcome: Unread): Tried =>
  outcome.kind === "dead" ? { ...outcome, kind: "refused" } : { kind: "impossible", why: outcome.reason };

/** What `health-sync deadletters` works with. */
export const openDeadLetters = async (connections: Connections): Promise<RetryDeps & { close(): Promise<void> }> => {
  const { kafka, clock } = connections;
  const db = connections.openDatabase(2);
  const producer = kafka.producer({ giveUpMs: 30_000 });
  const entry = entryDoor(connections, producer);
  const part = partDoor(connections, producer);
  const record = recordDoor(connections, producer);
  return {
    db,
    clock,
    tryAgain: (letter, dryRun) => {
      if (letter.origin.kind !== "topic") return entry(letter, dryRun);
      return letter.origin.index === -1 ? record(letter, dryRun) : part(letter, dryRun);
    },
    close: async () => {
      await producer.close();
      await db.close();
    },
  };
};
