import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { OutgoingRecord } from "../../../src/flow/ports.ts";
import { Unanswered } from "../../../src/io/kafka-errors.ts";
import { gathering, type Writer } from "../../../src/io/kafka-gather.ts";
import type { Placed } from "../../../src/io/kafka-records.ts";

const record = (text: string, bytes = 0): OutgoingRecord => ({
  topic: "t",
  key: "k",
  value: Buffer.from(text.padEnd(bytes)),
});
const said = ({ value }: OutgoingRecord): string =>
  Buffer.from(value ?? [])
    .toString()
    .trim();

/** A topic partition in memory; `fate` may refuse a request. Each request takes some turns. */
const memory = (fate: (records: readonly OutgoingRecord[]) => Error | null = () => null) => {
  const log: string[] = [];
  const requests: number[] = [];
  let underWay = 0;
  const writer: Writer = {
    async write(records) {
      requests.push(records.length);
      underWay += 1;
      expect(underWay).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      const error = fate(records);
      if (error) throw error;
      return records.map((one): Placed => {
        log.push(said(one));
        return { topic: "t", topic_partition: 0, offset: log.length - 1 };
      });
    },
    close: async () => undefined,
  };
  return { log, requests, writer };
};

test("whatever is sent at once: each send is answered with its own last offset, in the order of the calls", async () => {
  const sizes = fc.array(fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 4 }), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(sizes, async (all) => {
      const { log, writer } = memory();
      const producer = gathering(writer, 10_000);
      const sends = all.map((each, n) => each.map((bytes, at) => record(`${n}.${at}`, bytes)));
      const answers = await Promise.all(sends.map((records) => producer.send(records)));
      expect(log).toEqual(sends.flat().map(said));
      for (const [n, [written]] of answers.entries()) {
        expect(log[written?.last_offset ?? -1]).toBe(`${n}.${(all[n]?.length ?? 0) - 1}`);
      }
    }),
  );
});

test("the first goes out at once, those that come meanwhile together", async () => {
  const { requests, writer } = memory();
  const producer = gathering(writer, 10_000);
  await Promise.all(Array.from({ length: 50 }, (_, n) => producer.send([record(String(n))])));
  expect(requests).toEqual([1, 49]);
});

test("a record that is refused fails alone; where Kafka is away, nothing is sent again", async () => {
  const poison = memory((records) => (records.some((one) => said(one) === "3") ? new Error("too large") : null));
  const producer = gathering(poison.writer, 10_000);
  const fates = await Promise.allSettled(Array.from({ length: 6 }, (_, n) => producer.send([record(String(n))])));
  expect(fates.map(({ status }) => status === "fulfilled")).toEqual([true, true, true, false, true, true]);
  expect(poison.log).toEqual(["0", "1", "2", "4", "5"]);

  const away = memory(() => new Unanswered("no answer"));
  const lost = gathering(away.writer, 10_000);
  const all = await Promise.allSettled(Array.from({ length: 6 }, (_, n) => lost.send([record(String(n))])));
  expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => "rejected"));
  expect(away.requests).toEqual([1, 5]);
});

test("what waits behind a silent broker is told when its own time is up, and is not sent any more", async () => {
  const written: string[] = [];
  const silent = Promise.withResolvers<Placed[]>();
  const writer: Writer = {
    write: (records) => {
      written.push(...records.map(said));
      return written.length === 1 ? silent.promise : Promise.resolve([{ topic: "t", topic_partition: 0, offset: 1 }]);
    },
    close: async () => undefined,
  };
  const producer = gathering(writer, 50);
  const sends = ["first", "behind"].map((name) => producer.send([record(name)]));
  await Promise.all(sends.map((sent) => expect(sent).rejects.toThrow(/within 50 ms/)));
  silent.reject(new Unanswered("no answer"));
  expect(await producer.send([record("after")])).toHaveLength(1);
  expect(written).toEqual(["first", "after"]);
  await producer.close();
  await expect(producer.send([record("late")])).rejects.toThrow("the producer is closed");
});
