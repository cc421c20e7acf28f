import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import type { OutgoingRecord, Written } from "../../src/flow/ports.ts";
import { createKafka } from "../../src/io/kafka-client.ts";
import { isTransient } from "../../src/io/kafka-errors.ts";
import { kafkaCorners } from "../support/kafka-corner.ts";
import { stackEnv } from "../support/stack.ts";

const corners = await kafkaCorners("kafka-producer");
const text = (record: { value: Buffer | null }): string | undefined => record.value?.toString();
const record = (topic: string, key: string | null, value: string): OutgoingRecord => ({
  topic,
  key,
  value: Buffer.from(value),
});
const at = (written: Written[], topic: string): [number, number][] =>
  written
    .filter((part) => part.topic === topic)
    .map((part): [number, number] => [part.topic_partition, part.last_offset])
    .toSorted(([a], [b]) => a - b);

test.each(corners)(
  "$client: a send over several topics, keys and no keys answers the last offset of each topic partition",
  async (corner) => {
    const [a, b] = [await corner.topic("several-a", 6), await corner.topic("several-b", 3)];
    const keys = ["x", "y", "z", "x", null, "x", "é", null];
    const records = keys.flatMap((key, n) => [record(a, key, `a${n}`), record(b, key, `b${n}`)]);
    for (const round of [1, 2]) {
      const written = await corner.produce(records);
      for (const topic of [a, b]) {
        const bounds = await corner.kafka.logInfo().bounds(topic);
        for (const [partition, last] of at(written, topic)) expect(last).toBe((bounds.get(partition)?.high ?? 0) - 1);
        expect([...bounds.values()].reduce((sum, { high }) => sum + high, 0)).toBe(round * keys.length);
      }
    }
  },
);

test.each(corners)(
  "$client: records come back as they were sent: key, value, headers, tombstone, broker time",
  async (corner) => {
    const topic = await corner.topic("fidelity");
    const before = Date.now();
    const value = randomBytes(5000);
    await corner.produce([
      { topic, key: "ключ", value, headers: { batch_id: "b-1", traceparent: "00-ü" } },
      { topic, key: "k", value: null, headers: { revision: "7" } },
      { topic, key: null, value: Buffer.alloc(0) },
    ]);
    const [full, tombstone, bare] = await corner.readAll(topic);
    expect(full).toMatchObject({
      topic,
      topic_partition: 0,
      offset: 0,
      headers: { batch_id: "b-1", traceparent: "00-ü" },
    });
    expect(full?.key?.toString()).toBe("ключ");
    expect(full?.value?.equals(value)).toBe(true);
    expect(Math.abs((full?.timestamp ?? 0) - before)).toBeLessThan(60_000);
    expect(tombstone).toMatchObject({ offset: 1, value: null, headers: { revision: "7" } });
    expect(bare).toMatchObject({ offset: 2, key: null, headers: {} });
    expect(bare?.value?.length).toBe(0);
  },
);

test.each(corners)(
  "$client: the order within a key survives a send that is larger than one request",
  async (corner) => {
    const topic = await corner.topic("order", 3);
    const padding = randomBytes(30_000).toString("hex");
    const records = Array.from({ length: 120 }, (_, n) => record(topic, `k${n % 4}`, `${n} ${padding}`));
    await corner.produce(records);
    const seen = (await Promise.all([0, 1, 2].map((partition) => corner.readAll(topic, partition)))).flat();
    expect(seen).toHaveLength(120);
    for (const key of ["k0", "k1", "k2", "k3"]) {
      const numbers = seen.filter((one) => one.key?.toString() === key).map((one) => Number(text(one)?.split(" ")[0]));
      expect(numbers).toEqual(numbers.toSorted((x, y) => x - y));
    }
  },
);

test.each(corners)("$client: many sends at once are all acknowledged with offsets of their own", async (corner) => {
  const topic = await corner.topic("concurrent");
  const sends = Array.from({ length: 50 }, (_, n) => corner.produce([record(topic, "k", String(n))]));
  const offsets = (await Promise.all(sends)).map(([part]) => part?.last_offset);
  expect(offsets.toSorted((x, y) => (x ?? 0) - (y ?? 0))).toEqual(Array.from({ length: 50 }, (_, n) => n));
});

test.each(corners)(
  "$client: of many sends at once, gathered or not, a record that no broker takes fails alone",
  async (corner) => {
    const topic = await corner.topic("gathered", 3);
    const values = Array.from({ length: 30 }, (_, n) => (n === 17 ? randomBytes(1_500_000) : Buffer.from(String(n))));
    const sends = values.map((value, n) => corner.produce([{ topic, key: `k${n}`, value }]));
    const fates = (await Promise.allSettled(sends)).map(({ status }) => status);
    expect(fates).toEqual(values.map((_, n) => (n === 17 ? "rejected" : "fulfilled")));
    const stored = (await Promise.all([0, 1, 2].map((partition) => corner.readAll(topic, partition)))).flat();
    const all = values.flatMap((value, n) => (n === 17 ? [] : [value.toString()]));
    expect(new Set(stored.map((one) => text(one)))).toEqual(new Set(all));
  },
);

test.each(corners)("$client: a topic that did not exist is refused, and works as soon as it does", async (corner) => {
  const producer = corner.kafka.producer({ giveUpMs: 2000 });
  await expect(producer.send([record(`${corner.prefix}later`, "k", "v")])).rejects.toThrow(
    /does not host|Unknown topic|within 2000 ms/,
  );
  const topic = await corner.topic("later");
  expect(await producer.send([record(topic, "k", "v")])).toEqual([{ topic, topic_partition: 0, last_offset: 0 }]);
  await producer.close();
});

test.each(corners)("$client: a deleted topic fails its own sends only", async (corner) => {
  const [gone, stays] = [await corner.topic("gone"), await corner.topic("stays")];
  const producer = corner.kafka.producer({ giveUpMs: 2000 });
  await producer.send([record(gone, "k", "v")]);
  await corner.kafka.topics().delete([gone]);
  // The broker lets go of a deleted topic a moment after it was told to.
  const refused = async (): Promise<never> => {
    for (;;) await producer.send([record(gone, "k", "v")]);
  };
  await expect(refused()).rejects.toThrow(/does not host|Unknown topic|within 2000 ms/);
  expect(await producer.send([record(stays, "k", "v")])).toHaveLength(1);
  await producer.close();
});

test.each(corners)("$client: Kafka away: the send is rejected, as something that may pass", async (corner) => {
  const away = createKafka({ client: corner.client, brokers: ["127.0.0.1:9"], clientId: "away" }).producer({
    giveUpMs: 5000,
  });
  const error: unknown = await away.send([record("t", "k", "v")]).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(isTransient(error)).toBe(true);
  await away.close();
});

test.each(corners)("$client: a broker that never answers: the send is rejected once the time is up", async (corner) => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  const producer = createKafka({ client: corner.client, brokers: [`127.0.0.1:${port}`], clientId: "silent" }).producer({
    giveUpMs: 1000,
  });
  await expect(producer.send([record("t", "k", "v")])).rejects.toThrow(/within 1000 ms|timed out/);
  for (const socket of sockets) socket.destroy();
  silent.close();
  await producer.close();
});

test.each(corners)("$client: a record that no broker takes is refused, and the next send works", async (corner) => {
  const topic = await corner.topic("large");
  const tooLarge = { topic, key: "k", value: randomBytes(1_500_000) };
  const error: unknown = await corner.produce([tooLarge]).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(isTransient(error)).toBe(false);
  expect(await corner.produce([record(topic, "k", "small")])).toHaveLength(1);
});

// A codec that kafkajs lacks would stop our consumers for good; the topics' compression.type has the broker recompress.
test.each(corners)("$client: a foreign producer's snappy arrives readable", async (corner) => {
  const topic = await corner.topic("snappy");
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.Snappy] = () => ({
    compress: (encoder: { buffer: Buffer<ArrayBuffer> }) => Promise.resolve(snappy(encoder.buffer)),
    decompress: () => Promise.reject(new Error("a consumer was handed snappy")),
  });
  const brokers = stackEnv().KAFKA_BROKERS.split(",");
  const foreign = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).producer();
  await foreign.connect();
  const compression = kafkajs.CompressionTypes.Snappy;
  await foreign.send({ topic, compression, messages: [{ key: "k", value: "snappy ".repeat(300) }] });
  await foreign.disconnect();
  expect(text((await corner.readAll(topic))[0] ?? { value: null })).toBe("snappy ".repeat(300));
});

/** The snappy format with literals only. */
function snappy(bytes: Buffer<ArrayBuffer>): Buffer {
  const length: number[] = [];
  let left = bytes.length;
  for (; left >= 128; left >>= 7) length.push((left & 127) | 128);
  const parts = [Buffer.from([...length, left])];
  for (let from = 0; from < bytes.length; from += 60) {
    const literal = bytes.subarray(from, from + 60);
    parts.push(Buffer.from([(literal.length - 1) << 2]), literal);
  }
  return Buffer.concat(parts);
}
