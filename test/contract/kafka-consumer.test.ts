import kafkajs from "kafkajs";
import { afterAll, expect, test } from "vitest";
import type { TopicPartition } from "../../src/flow/ports.ts";
import { createKafka } from "../../src/io/kafka-client.ts";
import { isTransient } from "../../src/io/kafka-errors.ts";
import { kafkaCorners } from "../support/kafka-corner.ts";
import type { KafkaCorner } from "../support/kafka-corner.ts";
import { makeMember, sleep, until } from "../support/kafka-member.ts";
import type { Member } from "../support/kafka-member.ts";
import { stackEnv } from "../support/stack.ts";

const corners = await kafkaCorners("kafka-consumer");
const brokers = stackEnv().KAFKA_BROKERS.split(",");
const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
await admin.connect();
afterAll(() => admin.disconnect());

const at = (topic: string, topic_partition = 0): TopicPartition => ({ topic, topic_partition });
/** A topic with `count` records of values 0, 1, …, each in a send and so in a record batch of its own. */
async function filled(corner: KafkaCorner, name: string, count: number, partitions = 1): Promise<string> {
  const topic = await corner.topic(name, partitions);
  for (let n = 0; n < count; n++) await corner.produce([{ topic, key: "k", value: Buffer.from(String(n)) }]);
  return topic;
}
const assigned = (member: Member) => until("an assignment", () => member.assignments.length > 0);
const key = ({ topic, topic_partition }: TopicPartition): string => `${topic}/${topic_partition}`;
const offsets = (member: Member): number[] =>
  member.batches.flatMap(({ records }) => records.map(({ offset }) => offset));

test.each(corners)(
  "$client: nothing is fetched after a join until a seek and a resume, however late, and then from exactly there",
  async (corner) => {
    const topic = await filled(corner, "join", 10);
    const member = corner.member("join", [topic]);
    await member.begin();
    await assigned(member);
    expect(member.assignments).toEqual([[at(topic)]]);
    await sleep(1500);
    expect(member.batches).toEqual([]);
    member.seek(at(topic), 7);
    member.resume([at(topic)]);
    await until("a batch", () => member.batches.length > 0);
    expect(member.batches[0]).toMatchObject({ ...at(topic), fetched_from: 7, high_watermark: 10 });
    expect(member.batches[0]?.records[0]).toMatchObject({ offset: 7 });
  },
);

test.each(corners)("$client: the group's committed offset never decides where reading begins", async (corner) => {
  const topic = await filled(corner, "committed", 6);
  const group = `${corner.prefix}committed`;
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: "4" }] });
  const member = corner.member("committed", [topic]);
  member.on.assigned = () => void setTimeout(() => (member.seek(at(topic), 1), member.resume([at(topic)])), 50);
  await member.begin();
  await until("a batch", () => member.batches.length > 0);
  expect(member.batches[0]?.fetched_from).toBe(1);
});

test.each(corners)(
  "$client: a batch handed off and paused is not followed by another until a seek and a resume",
  async (corner) => {
    const topic = await filled(corner, "handoff", 5);
    const member = corner.member("handoff", [topic]);
    member.on.assigned = () => (member.seek(at(topic), 0), member.resume([at(topic)]));
    member.on.batch = (batch) => member.pause([batch]);
    await member.begin();
    await until("a batch", () => member.batches.length > 0);
    await sleep(1500);
    expect(member.batches).toHaveLength(1);
    member.seek(at(topic), 3);
    member.resume([at(topic)]);
    await until("the next batch", () => member.batches.length > 1);
    expect(member.batches[1]).toMatchObject({ fetched_from: 3 });
    expect(member.batches[1]?.records.map(({ offset }) => offset)).toEqual([3, 4]);
  },
);

test.each(corners)(
  "$client: seek and resume within the callback go on at once, and at the end of the log new records arrive",
  async (corner) => {
    const topic = await filled(corner, "follow", 3);
    const member = corner.member("follow", [topic]);
    member.on.assigned = () => (member.seek(at(topic), 0), member.resume([at(topic)]));
    member.on.batch = (batch) => {
      member.pause([batch]);
      member.seek(batch, (batch.records.at(-1)?.offset ?? -1) + 1);
      member.resume([batch]);
    };
    await member.begin();
    await until("three records", () => offsets(member).length >= 3);
    await corner.produce([{ topic, key: "k", value: Buffer.from("3") }]);
    await until("the fourth", () => offsets(member).length >= 4);
    expect(offsets(member)).toEqual([0, 1, 2, 3]);
  },
);

test.each(corners)(
  "$client: a batch that is neither paused nor followed by a seek comes again from the same offset",
  async (corner) => {
    const topic = await filled(corner, "again", 2);
    const member = corner.member("again", [topic]);
    member.on.assigned = () => (member.seek(at(topic), 1), member.resume([at(topic)]));
    await member.begin();
    await until("the batch again", () => member.batches.length >= 3);
    expect(new Set(member.batches.map(({ fetched_from }) => fetched_from))).toEqual(new Set([1]));
  },
);

test.each(corners)(
  "$client: when a member joins, everyone is told its whole new set, and all of it is paused again",
  async (corner) => {
    const topic = await filled(corner, "share", 0, 4);
    const first = corner.member("share", [topic]);
    await first.begin();
    await assigned(first);
    const all = [0, 1, 2, 3].map((partition) => at(topic, partition));
    expect(first.assignments[0]?.map(key).toSorted()).toEqual(all.map(key));
    for (const partition of all) first.seek(partition, 0);
    first.resume(all);
    const second = corner.member("share", [topic]);
    await second.begin();
    await until("both to hold half", () => first.assignments.at(-1)?.length === 2 && second.assignments.length > 0);
    const [mine, theirs] = [first.assignments.at(-1) ?? [], second.assignments.at(-1) ?? []];
    expect([...mine, ...theirs].map(key).toSorted()).toEqual(all.map(key));
    await corner.produce(Array.from({ length: 200 }, (_, n) => ({ topic, key: `k${n}`, value: Buffer.from("v") })));
    const before = [first.batches.length, second.batches.length];
    await sleep(1000);
    expect([first.batches.length, second.batches.length]).toEqual(before);
    for (const partition of mine) first.seek(partition, 0);
    first.resume(mine);
    await until("records", () => first.batches.length > 0);
    expect(first.batches.map(key).every((name) => mine.map(key).includes(name))).toBe(true);
    // Leaving gives everything back without waiting for the session to time out.
    await second.stop();
    await until("all four again", () => first.assignments.at(-1)?.length === 4, 5);
  },
);

test.each(corners)(
  "$client: work that outlasts the session costs no membership and holds up nobody who joins",
  async (corner) => {
    const topic = await filled(corner, "long", 4, 2);
    const worker = corner.member("long", [topic]);
    worker.on.assigned = (partitions) => (partitions.map((one) => worker.seek(one, 0)), worker.resume(partitions));
    worker.on.batch = (batch) => worker.pause([batch]);
    await worker.begin();
    await until("the batch it works on", () => worker.batches.length > 0);
    await sleep(8000);
    const joining = corner.member("long", [topic]);
    await joining.begin();
    await until(
      "its share",
      () => joining.assignments.at(-1)?.length === 1 && worker.assignments.at(-1)?.length === 1,
      10,
    );
    expect(worker.crashes).toEqual([]);
  },
);

test.each(corners)(
  "$client: records deleted beyond the place of a member are reported as suspect, with the topic partition",
  async (corner) => {
    const topic = await filled(corner, "deleted", 10);
    const member = corner.member("deleted", [topic]);
    member.on.assigned = () => (member.seek(at(topic), 2), member.resume([at(topic)]));
    member.on.batch = (batch) => member.pause([batch]);
    await member.begin();
    await until("a batch", () => member.batches.length > 0);
    // kafkajs deletes only from topics that this admin has asked for before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "8" }] });
    expect(await corner.kafka.logInfo().bounds(topic)).toEqual(new Map([[0, { low: 8, high: 10 }]]));
    member.seek(at(topic), 3);
    member.resume([at(topic)]);
    await until("suspicion", () => member.suspects.length > 0);
    expect(member.suspects[0]).toEqual(at(topic));
  },
);

test.each(corners)("$client: a place beyond the end of the log is reported as suspect", async (corner) => {
  const topic = await filled(corner, "beyond", 2);
  const member = corner.member("beyond", [topic]);
  member.on.assigned = () => (member.seek(at(topic), 50), member.resume([at(topic)]));
  await member.begin();
  await until("suspicion", () => member.suspects.length > 0);
  expect(member.suspects[0]).toEqual(at(topic));
  // kafkajs goes on from the start of the log by itself: what then comes shows that it was not asked for.
  expect(member.batches.filter(({ fetched_from }) => fetched_from === 50)).toEqual([]);
});

test.each(corners)("$client: answered fetches are told also while nothing is there to read", async (corner) => {
  const topic = await filled(corner, "idle", 0);
  const member = corner.member("idle", [topic]);
  member.on.assigned = () => (member.seek(at(topic), 0), member.resume([at(topic)]));
  await member.begin();
  await until("fetches", () => member.fetches > 5);
  expect(member.batches).toEqual([]);
});

test.each(corners)("$client: a commit shows in Kafka's own offsets and moves nothing", async (corner) => {
  const topic = await filled(corner, "commit", 5);
  const member = corner.member("commit", [topic]);
  member.on.assigned = () => (member.seek(at(topic), 0), member.resume([at(topic)]));
  member.on.batch = (batch) => member.pause([batch]);
  await member.begin();
  await until("a batch", () => member.batches.length > 0);
  member.commit(at(topic), 5);
  const stored = async () => {
    const [answer] = await admin.fetchOffsets({ groupId: `${corner.prefix}commit`, topics: [topic] });
    return answer?.partitions[0]?.offset;
  };
  await until("the offset", async () => (await stored()) === "5");
  member.seek(at(topic), 1);
  member.resume([at(topic)]);
  await until("a batch", () => member.batches.length > 1);
  expect(member.batches[1]?.fetched_from).toBe(1);
});

test.each(corners)("$client: after a stop, late calls of those who still hold a lane do nothing", async (corner) => {
  const topic = await filled(corner, "late", 1);
  const member = corner.member("late", [topic]);
  await member.begin();
  await assigned(member);
  await member.stop();
  member.seek(at(topic), 0);
  member.pause([at(topic)]);
  member.resume([at(topic)]);
  member.commit(at(topic), 1);
  await sleep(300);
  expect(member.batches).toEqual([]);
});

test.each(corners)(
  "$client: a consumer that cannot go on says so once, and is not started again in place",
  async (corner) => {
    const topic = await filled(corner, "crash", 1);
    const member = corner.member("crash", [topic]);
    member.on.assigned = () => (member.seek(at(topic), 0), member.resume([at(topic)]));
    member.on.batch = (batch) => member.pause([batch]);
    await member.begin();
    await until("a batch", () => member.batches.length > 0);
    await corner.kafka.topics().delete([topic]);
    member.resume([at(topic)]);
    await until("the crash", () => member.crashes.length > 0, 60);
    expect(member.crashes).toHaveLength(1);
    expect(isTransient(member.crashes[0])).toBe(true);
    member.seek(at(topic), 0);
    await sleep(1000);
    expect(member.assignments).toHaveLength(1);
  },
);

test.each(corners)("$client: a member that cannot reach Kafka does not start", async (corner) => {
  const away = makeMember(createKafka({ client: corner.client, brokers: ["127.0.0.1:9"], clientId: "away" }), {
    group: "g",
    topics: ["t"],
  });
  await expect(away.begin()).rejects.toThrow(/ECONNREFUSED/);
  await away.stop();
});

test("members on either client share a group, so that one is changed for the other member by member", async () => {
  const [first, second] = corners;
  if (!first || !second) throw new Error("two clients are to be compared");
  const topic = await filled(first, "mixed", 0, 4);
  const group = `${first.prefix}mixed`;
  const members = [first, second, first].map(({ kafka }) =>
    makeMember(kafka, { group, topics: [topic], heartbeatMs: 500 }),
  );
  /** Each topic partition is one member's: while they join, one may still name what another has been given. */
  const isShared = (): boolean => {
    const held = members.flatMap(({ assignments }) => (assignments.at(-1) ?? []).map(key));
    return held.length === 4 && new Set(held).size === 4;
  };
  try {
    for (const [at, member] of members.entries()) {
      await member.begin();
      await until("a share for each", () => {
        const shares = members.slice(0, at + 1).map(({ assignments }) => assignments.at(-1)?.length ?? 0);
        return shares.every((share) => share > 0) && isShared();
      });
    }
    // The leader leaves, and whoever leads next is on the other client.
    await members.shift()?.stop();
    await until("all again", isShared);
    expect(members).toHaveLength(2);
  } finally {
    await Promise.all(members.map((member) => member.stop()));
  }
});
