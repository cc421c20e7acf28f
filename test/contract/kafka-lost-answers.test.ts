import { expect, test } from "vitest";
import type { Written } from "../../src/flow/ports.ts";
import { answerThief } from "../support/answer-thief.ts";
import { kafkaCorners } from "../support/kafka-corner.ts";
import { stackEnv } from "../support/stack.ts";

const corners = await kafkaCorners("kafka-lost-answers");
const [broker = ""] = stackEnv().KAFKA_BROKERS.split(",");

/** Sends `values` as `send` does, and answers those that were acknowledged, with where. */
async function acknowledged(
  values: string[],
  send: (value: string) => Promise<Written[]>,
): Promise<Map<string, number>> {
  const out = new Map<string, number>();
  for (const value of values) {
    try {
      const [written] = await send(value);
      if (written) out.set(value, written.last_offset);
    } catch {
      // Unknown, not written: may stand in the log, and nothing more is claimed of it.
    }
  }
  return out;
}
const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));

test.each(corners)(
  "$client: whatever answers are lost, an acknowledged record is in the log, at the offset that was answered",
  async (corner) => {
    const topic = await corner.topic("lost");
    let requests = 0;
    const thief = await answerThief(broker, () => requests++ % 3 === 1);
    const producer = corner.kafka.producer({ giveUpMs: 3000 });
    const send = (value: string) => producer.send([{ topic, key: "k", value: Buffer.from(value) }]);
    const claimed = await acknowledged(numbers(30), send);
    thief.stop();
    await producer.close();
    expect(thief.stolen()).toBeGreaterThan(5);
    expect(claimed.size).toBeGreaterThan(10);
    const log = new Map((await corner.readAll(topic)).map(({ offset, value }) => [offset, value?.toString()]));
    for (const [value, offset] of claimed) expect(log.get(offset)).toBe(value);
  },
);

test.each(corners)("$client: the same with several senders at once, whose sends are gathered", async (corner) => {
  const topic = await corner.topic("lost-at-once");
  let requests = 0;
  const thief = await answerThief(broker, () => requests++ % 7 === 3);
  const producer = corner.kafka.producer({ giveUpMs: 3000 });
  const send = (value: string) => producer.send([{ topic, key: "k", value: Buffer.from(value) }]);
  const senders = numbers(8).map((sender) => numbers(15).map((value) => `${sender}.${value}`));
  const claims = await Promise.all(senders.map((values) => acknowledged(values, send)));
  const claimed = claims.flatMap((claim) => Array.from(claim));
  thief.stop();
  await producer.close();
  expect(thief.stolen()).toBeGreaterThan(1);
  expect(claimed.length).toBeGreaterThan(60);
  const log = new Map((await corner.readAll(topic)).map(({ offset, value }) => [offset, value?.toString()]));
  for (const [value, offset] of claimed) expect(log.get(offset)).toBe(value);
});

test.each(corners)(
  "$client: a transaction whose answer was lost ends the producer, and each acknowledged one is there exactly once",
  async (corner) => {
    const topic = await corner.topic("lost-tx");
    const id = `${corner.prefix}lost-tx`;
    let requests = 0;
    const thief = await answerThief(broker, () => requests++ % 4 === 2);
    let producer = await corner.kafka.transactional(id, { giveUpMs: 5000 });
    const claimed = await acknowledged(numbers(15), async (value) => {
      try {
        return await producer.send([{ topic, key: "k", value: Buffer.from(value) }]);
      } catch (error) {
        await producer.close();
        producer = await corner.kafka.transactional(id, { giveUpMs: 5000 });
        throw error;
      }
    });
    thief.stop();
    await producer.close();
    expect(thief.stolen()).toBeGreaterThan(1);
    const log = (await corner.readAll(topic)).map(({ value }) => value?.toString());
    for (const value of claimed.keys()) expect(log.filter((one) => one === value)).toHaveLength(1);
    expect(log).toEqual(log.toSorted((a, b) => Number(a) - Number(b)));
  },
);
