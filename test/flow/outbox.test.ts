import * as fc from "fast-check";
import { expect, test } from "vitest";
import { OUTBOX_SHARDS, PLAIN_LANE, deadLetterEvent, enqueue, shardOf } from "../../src/flow/outbox.ts";
import { avroString, recordDeadLetter } from "../../src/flow/dead-letters.ts";
import type { OutboxEvent } from "../../src/flow/effects.ts";
import type { Tx } from "../../src/flow/ports.ts";
import { reviveBytes } from "../../src/publish/rows.ts";
import { MemoryLog } from "../support/flow/memory-log.ts";

/** Rows as `enqueue` hands them to SQL. */
const handed = async (events: readonly OutboxEvent[]): Promise<Record<string, unknown>[]> => {
  const texts: string[] = [];
  const query: Tx["query"] = (_, params) => {
    texts.push(String(params?.[0]));
    return Promise.resolve([]);
  };
  const news: string[] = [];
  await enqueue({ query, announce: (one) => void news.push(one) } as Partial<Tx> as Tx, events);
  expect(news).toEqual(events.length > 0 ? ["outbox"] : []);
  return texts.flatMap((text) => JSON.parse(text) as Record<string, unknown>[]);
};

const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.jsonValue({ maxDepth: 1 }),
    bytes,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.string().filter((key) => key !== "__proto__" && key !== "$base64"),
      tie("value"),
      { maxKeys: 4 },
    ),
  ),
}));

const revive = (_: string, inner: unknown): unknown => {
  const data = inner as { type?: unknown; data?: number[] } | null;
  return data?.type === "Buffer" && data.data ? Buffer.from(data.data) : inner;
};

test("whatever an event holds, bytes too, is the same once the relay revives it", async () => {
  await fc.assert(
    fc.asyncProperty(value, async (sent) => {
      const [row] = await handed([{ topic: "t", athlete_id: "a", key: "k", value: sent }]);
      // JSON has one zero only.
      expect(reviveBytes(row?.["value"])).toEqual(JSON.parse(JSON.stringify([sent]), revive)[0]);
    }),
  );
});

test("an athlete's events share one shard for life, dead letters go through the plain lane", async () => {
  const rows = await handed([
    { topic: "t", athlete_id: "anna", key: "k", value: null, headers: { revision: "4" } },
    { topic: "t", athlete_id: null, key: null, value: 1 },
  ]);
  expect(rows).toMatchObject([
    { shard: shardOf("anna"), value: null, headers: { revision: "4" } },
    { shard: PLAIN_LANE, key: null, headers: {} },
  ]);
  // Fixed for life: a change would move athletes, and with them the order of their events.
  expect(["anna", "ben", "cleo", "dan"].map(shardOf)).toEqual([3, 3, 4, 5]);
  fc.assert(
    fc.property(fc.string(), (id) => {
      expect(shardOf(id)).toBeGreaterThanOrEqual(0);
      expect(shardOf(id)).toBeLessThan(OUTBOX_SHARDS);
    }),
  );
});

test("no events, no statement", async () => {
  expect(await handed([])).toEqual([]);
});

test("a dead letter of a record has its origin, its bytes and the same id each time", async () => {
  const log = new MemoryLog(1);
  log.append(0);
  const [record] = log.read(0, 0, 1).records;
  if (!record) throw new Error("no record");
  const refusal = { reason: "bad_frame", path: "", detail: "no frame" };
  const headers = { batch_id: "b\0atch" };
  const letter = recordDeadLetter({ ...record, headers }, refusal, 2);
  expect(letter).toMatchObject({ reason: "bad_frame", attempts: 2, first_seen_at: record.timestamp, athlete_id: null });
  // A foreign producer's header must be fit for every store.
  expect(letter.origin).toMatchObject({ kind: "topic", batch_id: "batch", index: -1, topic: "log", offset: 0 });
  expect(Buffer.from(letter.payload)).toEqual(record.value);
  expect(recordDeadLetter(record, refusal).id).toBe(letter.id);
  expect(recordDeadLetter({ ...record, value: null }, refusal)).toMatchObject({ payload: new Uint8Array() });
  expect(recordDeadLetter(record, refusal).origin.batch_id).toBeNull();
  expect(deadLetterEvent("dead", { ...letter, athlete_id: "anna" })).toMatchObject({ athlete_id: null, key: "anna" });
});

test("an athlete id in a record is found by its length and its bytes, so that no longer id passes for it", () => {
  expect(avroString("anna")).toEqual(Buffer.from([8, ...Buffer.from("anna")]));
  const longest = "a".repeat(64);
  expect(avroString(longest)).toEqual(Buffer.from([0x80, 1, ...Buffer.from(longest)]));
  expect(avroString("annabel").includes(avroString("anna"))).toBe(false);
});
