import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { OutgoingRecord } from "../../src/flow/ports.ts";
import { ProducerFenced } from "../../src/flow/ports.ts";
import { kafkaCorner } from "../support/kafka-corner.ts";

const corner = await kafkaCorner("kafka-transaction");
const record = (topic: string, key: string, value: string): OutgoingRecord => ({
  topic,
  key,
  value: Buffer.from(value),
});
const values = async (topic: string): Promise<string[]> =>
  (await corner.readAll(topic)).map(({ value }) => value?.toString() ?? "");

test("each call is one transaction, and its answer names the last records written, not their markers", async () => {
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
  expect(await values(a)).toEqual(["1", "2", "3"]);
});

test("many transactions in a row all pass, in order, also when asked for at once", async () => {
  const topic = await corner.topic("row");
  const producer = await corner.kafka.transactional(`${corner.prefix}row`);
  const numbers = Array.from({ length: 30 }, (_, n) => String(n));
  await Promise.all(numbers.map((n) => producer.send([record(topic, "k", n)])));
  await producer.close();
  expect(await values(topic)).toEqual(numbers);
});

test("opening the same id fences whoever held it, for good", async () => {
  const topic = await corner.topic("fence");
  const first = await corner.kafka.transactional(`${corner.prefix}fence`);
  await first.send([record(topic, "k", "first")]);
  const second = await corner.kafka.transactional(`${corner.prefix}fence`);
  await expect(first.send([record(topic, "k", "zombie")])).rejects.toBeInstanceOf(ProducerFenced);
  await second.send([record(topic, "k", "second")]);
  await expect(first.send([record(topic, "k", "zombie")])).rejects.toThrow(/has ended/);
  await first.close();
  await second.close();
  expect(await values(topic)).toEqual(["first", "second"]);
});

test("different ids do not disturb each other", async () => {
  const topic = await corner.topic("apart");
  const [one, two] = await Promise.all(
    ["one", "two"].map((id) => corner.kafka.transactional(`${corner.prefix}apart-${id}`)),
  );
  await Promise.all([one?.send([record(topic, "k", "1")]), two?.send([record(topic, "k", "2")])]);
  await Promise.all([one?.close(), two?.close()]);
  expect((await values(topic)).toSorted()).toEqual(["1", "2"]);
});

test("a failed transaction leaves nothing to be read and ends the producer; the next opener goes on", async () => {
  const topic = await corner.topic("failed");
  const id = `${corner.prefix}failed`;
  const first = await corner.kafka.transactional(id);
  const tooLarge: OutgoingRecord = { topic, key: "k", value: randomBytes(1_500_000) };
  await expect(first.send([record(topic, "k", "half"), tooLarge])).rejects.toThrow(/larger|too large/i);
  await expect(first.send([record(topic, "k", "after")])).rejects.toThrow(/has ended/);
  const second = await corner.kafka.transactional(id);
  await second.send([record(topic, "k", "whole")]);
  await second.close();
  expect(await values(topic)).toEqual(["whole"]);
});
