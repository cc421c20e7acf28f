import { expect, test } from "vitest";
import type { FetchedBatch, GroupConsumer, RawRecord, TopicPartition } from "../../src/flow/ports.ts";
import { followTail } from "../../src/flow/tail.ts";

type Callbacks = Parameters<GroupConsumer["start"]>[0];

const at = (topic: string, topic_partition: number): TopicPartition => ({ topic, topic_partition });
const record = (topic: string, offset: number): RawRecord => ({
  ...at(topic, 0),
  offset,
  timestamp: 0,
  key: null,
  value: null,
  headers: {},
});
const batch = (records: RawRecord[]): FetchedBatch => ({
  ...at("a", 0),
  fetched_from: 7,
  records,
  high_watermark: 9,
});

const name = (partition: TopicPartition) => `${partition.topic}-${partition.topic_partition}`;

/** A member that only writes down what is asked of it; the real one has a contract suite. */
const member = async (bounds: (topic: string) => Promise<Map<number, { low: number; high: number }>>) => {
  const seen: string[] = [];
  let callbacks: Callbacks | undefined;
  const consumer: GroupConsumer = {
    start: async (given) => void (callbacks = given),
    seek: (partition, offset) => void seen.push(`seek ${name(partition)} ${offset}`),
    pause: (partitions) => void seen.push(`pause ${partitions.map(name).join(" ")}`),
    resume: (partitions) => void seen.push(`resume ${partitions.map(name).join(" ")}`),
    commit: () => undefined,
    stop: async () => undefined,
  };
  const read: number[] = [];
  const owned: string[][] = [];
  const crashes: Error[] = [];
  await followTail(
    { consumer, log: { bounds }, crashed: (error) => crashes.push(error) },
    {
      assigned: (partitions) => void owned.push(partitions.map(name)),
      records: (records) => void read.push(...records.map(({ offset }) => offset)),
    },
  );
  return { seen, read, owned, crashes, on: callbacks as Callbacks };
};
const settled = () => new Promise((resolve) => setImmediate(resolve));
const ends = async (topic: string) => new Map([[0, { low: 0, high: topic === "a" ? 5 : 6 }]]);

test("every topic partition is read from its end on, one without an end from the start", async () => {
  const { seen, owned, on } = await member(ends);
  on.assigned([at("a", 0), at("b", 0), at("b", 1)]);
  await settled();
  expect(owned).toEqual([["a-0", "b-0", "b-1"]]);
  expect(seen).toEqual(["seek a-0 5", "resume a-0", "seek b-0 6", "seek b-1 0", "resume b-0 b-1"]);
});

test("an assignment that was replaced while the ends were asked for opens nothing", async () => {
  const { seen, on } = await member(ends);
  on.assigned([at("a", 0)]);
  on.assigned([]);
  await settled();
  expect(seen).toEqual([]);
});

test("records are handed on, and the next fetch begins behind them; an empty one is asked for again", async () => {
  const { seen, read, on } = await member(ends);
  on.batch(batch([record("a", 7), record("a", 8)]));
  on.batch(batch([]));
  expect(read).toEqual([7, 8]);
  expect(seen).toEqual(["pause a-0", "seek a-0 9", "resume a-0", "pause a-0", "seek a-0 7", "resume a-0"]);
});

test("ends that cannot be read cost news only, and a crash is told", async () => {
  const { seen, crashes, on } = await member(() => Promise.reject(new Error("away")));
  on.assigned([at("a", 0)]);
  await settled();
  on.suspect(null);
  on.fetched();
  on.crashed(new Error("gone"));
  expect(seen).toEqual([]);
  expect(crashes).toEqual([new Error("gone")]);
});
