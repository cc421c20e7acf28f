import { expect, test, vi } from "vitest";
import { kafkaCorners } from "../support/kafka-corner.ts";
import { makeMember, sleep, until } from "../support/kafka-member.ts";

const corners = await kafkaCorners("kafka-rest");
const text = (value: Buffer | null): string | undefined => value?.toString();

test.each(corners)(
  "$client: connections that were answered do not look over and over for what to do",
  async (corner) => {
    const topic = await corner.topic("quiet");
    await corner.produce([{ topic, key: "k", value: Buffer.from("x") }]);
    await sleep(500);
    const timers = vi.spyOn(globalThis, "setTimeout");
    try {
      await new Promise((resolve) => setImmediate(resolve));
      const end = performance.now() + 500;
      while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
      expect(timers.mock.calls.length).toBeLessThan(10);
    } finally {
      timers.mockRestore();
    }
  },
);

test.each(corners)(
  "$client: a member that reads everything asks seldom, and a record ends its wait",
  async (corner) => {
    const topic = await corner.topic("seldom", 2);
    const member = makeMember(corner.kafka, { group: `${corner.prefix}seldom`, topics: [topic] });
    const places = [0, 1].map((topic_partition) => ({ topic, topic_partition }));
    let beside = 0;
    member.on.assigned = () => {
      for (const place of places) member.seek(place, 0);
      member.resume(places);
    };
    member.on.batch = (batch) => {
      const next = (batch.records.at(-1)?.offset ?? -1) + 1;
      member.pause([batch]);
      member.seek(batch, next);
      member.resume([batch]);
    };
    try {
      await member.begin();
      await until("a fetch", () => member.fetches > 0);
      await sleep(500);
      const before = member.fetches;
      await sleep(4000);
      beside = member.fetches - before;
      await corner.produce([{ topic, key: "k", value: Buffer.from("news") }]);
      await until("the record", () => member.batches.length > 0);
      expect(member.batches[0]?.records.map(({ value }) => text(value))).toEqual(["news"]);
      // Ten a second while something is not read.
      expect(beside).toBeLessThan(15);
      expect(beside).toBeGreaterThan(0);
      const [idle] = places;
      if (idle) member.pause([idle]);
      const busy = member.fetches;
      await sleep(4000);
      expect(member.fetches - busy).toBeGreaterThan(beside);
    } finally {
      await member.stop();
    }
  },
);

test("kafkajs: a member that stops while a fetch waits has left its group: the next one has its place", async () => {
  const [corner] = corners;
  if (!corner) throw new Error("no corner");
  const topic = await corner.topic("leave");
  const options = { group: `${corner.prefix}leave`, topics: [topic] };
  const member = makeMember(corner.kafka, options);
  member.on.assigned = ([place]) => place && (member.seek(place, 0), member.resume([place]));
  await member.begin();
  await until("a fetch at rest", () => member.fetches > 1);
  await member.stop();
  const next = makeMember(corner.kafka, options);
  await next.begin();
  try {
    await until("the place it left", () => next.assignments.length > 0);
    expect(next.assignments).toEqual([[{ topic, topic_partition: 0 }]]);
  } finally {
    await next.stop();
  }
});
