import * as fc from "fast-check";
import type { RecordMetadata } from "kafkajs";
import { expect, test } from "vitest";
import type { OutgoingRecord } from "../../../src/flow/ports.ts";
import { bases, latest, notingPartitioner, placed, requests } from "../../../src/io/kafka-records.ts";

const metadata = (count: number) =>
  Array.from({ length: count }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
const record = (key: string | null, bytes = 10, topic = "t"): OutgoingRecord => ({
  topic,
  key,
  value: Buffer.alloc(bytes),
});

// The test vectors of Kafka's own murmur2 (UtilsTest), so that any client in any language agrees.
test.each([
  ["21", -973_932_308],
  ["foobar", -790_332_482],
  ["a-little-bit-long-string", -985_981_536],
  ["a-little-bit-longer-string", -1_486_304_829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971],
  ["abc", 479_470_107],
])("the key %s goes where Java's default partitioner sends it", (key, hash) => {
  const partitionMetadata = metadata(9973);
  const message = { key, value: null };
  expect(notingPartitioner()({ topic: "t", partitionMetadata, message })).toBe((hash & 0x7fffffff) % 9973);
});

test("the partition chosen first is kept when a send is tried again, also without a key", () => {
  const choose = notingPartitioner();
  const message = { key: null, value: null };
  const first = choose({ topic: "t", partitionMetadata: metadata(24), message });
  for (let n = 0; n < 5; n++) expect(choose({ topic: "t", partitionMetadata: metadata(24), message })).toBe(first);
});

test("records without a key go round", () => {
  const choose = notingPartitioner();
  const seen = Array.from({ length: 24 }, () =>
    choose({ topic: "t", partitionMetadata: metadata(24), message: { key: null, value: null } }),
  );
  expect(new Set(seen).size).toBe(24);
});

test("a send is cut into requests a broker takes, in order, with nothing lost", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(sizes, (all) => {
      const records = all.map((bytes, index) => record(String(index), bytes));
      const cut = requests(records);
      expect(cut.flat()).toEqual(records);
      for (const request of cut) {
        const bytes = request.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
        expect(request.length === 1 || bytes < 1_000_000).toBe(true);
        expect(request.length).toBeGreaterThan(0);
      }
    }),
    { verbose: 1 },
  );
  expect(requests(Array.from({ length: 2500 }, () => record("a"))).map(({ length }) => length)).toEqual([
    1000, 1000, 500,
  ]);
});

test("each record stands behind those before it in its topic partition, from the first that was answered", () => {
  const sent = [
    { topic: "t", partition: 3 },
    { topic: "u", partition: 3 },
    { topic: "t", partition: 7 },
    { topic: "t", partition: 3 },
  ];
  const answers: RecordMetadata[] = [
    { topicName: "t", partition: 3, errorCode: 0, baseOffset: "40" },
    { topicName: "t", partition: 7, errorCode: 0, baseOffset: "0" },
    { topicName: "u", partition: 3, errorCode: 0, baseOffset: "5" },
  ];
  expect(placed(sent, bases(answers)).map(({ offset }) => offset)).toEqual([40, 5, 0, 41]);
  expect(() => placed(sent, bases(answers.slice(1)))).toThrow(/no acknowledgement for t partition 3/);
  const refused = answers.map((answer) => ({ ...answer, errorCode: 3 }));
  expect(() => placed(sent, bases(refused))).toThrow(/no acknowledgement/);
  expect(() => placed([{ topic: "t" }], [])).toThrow(/never given a topic partition/);
});

test("of several requests the last one's offset counts", () => {
  const at = { topic: "t", topic_partition: 1 };
  expect(
    latest([
      { ...at, offset: 4 },
      { ...at, topic_partition: 2, offset: 9 },
      { ...at, offset: 8 },
    ]),
  ).toEqual([
    { ...at, last_offset: 8 },
    { ...at, topic_partition: 2, last_offset: 9 },
  ]);
});
