import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { OutgoingRecord } from "../../src/flow/ports.ts";
import { ProducerFenced } from "../../src/flow/ports.ts";
import { kafkaCorners } from "../support/kafka-corner.ts";
import type { KafkaCorner } from "../support/kafka-corner.ts";

const corners = await kafkaCorners("kafka-transaction");
const record = (topic: string, key: string, value: string): OutgoingRecord => ({
  topic,
  key,
  value: Buffer.from(value),
});
const values = async (corner: KafkaCorner, topic: string): Promise<string[]> =>
  (await corner.readAll(topic)).map(({ value }) => value?.toString() ?? "");

test.each(corners)(
  "$client: each call is one transaction, and its answer names the last records written, not their markers",
  async (corner) => {
    const [a, b] = [await corner.topic("each-a"), await corner.topic("each-b")];
    const producer = await corner.kafka.transactional(`${corner.prefix}each`);
    expect(await producer.send([record(a, "k", "1"), record(b, "k", "1"), record(a, "k", "2")])).toEqual([
      { topic: a, topic_partition: 0, last_offset: 1 },
      { topic: b, topic_partition: 0, last_offset: 0 },
    ]);
    // The commit's marker took offset 2.
    expect(await producer.send([record(a, "k", "3")])).toEqual([{ topic: a, topic_partition: 0, last_offset: 3 }]);
    expect(await producer.send([])).toEqual([]);
    await producer.close();
    expect(await values(corner, a)).toEqual(["1", "2", "3"]);
  },
);

test.each(corners)(
  "$client: many transactions in a row all pass, in order, also when asked for at once",
  async (corner) => {
    const topic = await corner.topic("row");
    const producer = await corner.kafka.transactional(`${corner.prefix}row`);
    const numbers = Array.from({ length: 30 }, (_, n) => String(n));
    await Promise.all(numbers.map((n) => producer.send([record(topic, "k", n)])));
    await producer.close();
    expect(await values(corner, topic)).toEqual(numbers);
  },
);

test.each(corners)("$client: opening the same id fences whoever held it, for good", async (corner) => {
  const topic = await corner.topic("fence");
  const first = await corner.kafka.transactional(`${corner.prefix}fence`);
  await first.send([record(topic, "k", "first")]);
  const second = await corner.kafka.transactional(`${corner.prefix}fence`);
  await expect(first.send([record(topic, "k", "zombie")])).rejects.toBeInstanceOf(ProducerFenced);
  await second.send([record(topic, "k", "second")]);
  await expect(first.send([record(topic, "k", "zombie")])).rejects.toThrow(/has ended/);
  await first.close();
  await second.close();
  expect(await values(corner, topic)).toEqual(["first", "second"]);
});

test.each(corners)("$client: different ids do not disturb each other", async (corner) => {
  const topic = await corner.topic("apart");
  const [one, two] = await Promise.all(
    ["one", "two"].map((id) => corner.kafka.transactional(`${corner.prefix}apart-${id}`)),
  );
  await Promise.all([one?.send([record(topic, "k", "1")]), two?.send([record(topic, "k", "2")])]);
  await Promise.all([one?.close(), two?.close()]);
  expect((await values(corner, topic)).toSorted()).toEqual(["1", "2"]);
});

test.each(corners)(
  "$client: a failed transaction leaves nothing to be read and ends the producer; the next opener goes on",
  async (corner) => {
    const topic = await corner.topic("failed");
    const id = `${corner.prefix}failed`;
    const first = await corner.kafka.transactional(id);
    const tooLarge: OutgoingRecord = { topic, key: "k", value: randomBytes(1_500_000) };
    await expect(first.send([record(topic, "k", "half"), tooLarge])).rejects.toThrow(/larger|too large/i);
    await expect(first.send([record(topic, "k", "after")])).rejects.toThrow(/has ended/);
    const second = await corner.kafka.transactional(id);
    await second.send([record(topic, "k", "whole")]);
    await second.close();
    expect(await values(corner, topic)).toEqual(["whole"]);
  },
);
