import { ProtocolError, UserError, MultipleErrors, NetworkError } from "@platformatic/kafka";
import type { RecordsBatch } from "@platformatic/kafka";
import { expect, test } from "vitest";
import { isTransient } from "../../../src/io/kafka-errors.ts";
import { latest, partitionOfKey, placed } from "../../../src/io/kafka-records.ts";
import { secured } from "../../../src/io/platformatic-client.ts";
import { hasCode, lineIsDown, spokenOut } from "../../../src/io/platformatic-errors.ts";
import { bases, outgoing, partitioner, readable } from "../../../src/io/platformatic-records.ts";

const AT = { topic: "t", topic_partition: 0 };
const CONTROL = 1 << 5;
const LOG_APPEND_TIME = 1 << 3;

/** A record batch of `count` records from an offset on, by a producer. */
const batch = (first: number, count: number, more: Partial<RecordsBatch> = {}): RecordsBatch => ({
  firstOffset: BigInt(first),
  length: 0,
  partitionLeaderEpoch: 0,
  magic: 2,
  crc: 0,
  attributes: 0,
  lastOffsetDelta: count - 1,
  firstTimestamp: 1000n,
  maxTimestamp: 2000n,
  producerId: -1n,
  producerEpoch: 0,
  firstSequence: 0,
  records: Array.from({ length: count }, (_, n) => ({
    length: 0,
    attributes: 0,
    timestampDelta: BigInt(n),
    offsetDelta: n,
    key: null,
    value: Buffer.from(String(first + n)),
    headers: [],
  })),
  ...more,
});
/** 0 rolls back, 1 commits. */
const marker = (at: number, producerId: bigint): RecordsBatch => batch(at, 1, { producerId, attributes: CONTROL });
const offsets = (batches: RecordsBatch[], from = 0, aborted: [bigint, number][] = []): number[] => {
  const abortedTransactions = aborted.map(([producerId, first]) => ({ producerId, firstOffset: BigInt(first) }));
  return readable(AT, { records: batches, abortedTransactions }, from).records.map(({ offset }) => offset);
};

test("a record batch comes whole: what lies before the place that was asked for is left out", () => {
  expect(offsets([batch(0, 5), batch(5, 2)], 3)).toEqual([3, 4, 5, 6]);
});

test("markers are shown to nobody, and an answer of nothing else moves the place beyond them", () => {
  expect(readable(AT, { records: [marker(4, 1n), marker(5, 2n)], abortedTransactions: [] }, 4)).toEqual({
    records: [],
    next: 6,
  });
  expect(readable(AT, { records: null, abortedTransactions: null }, 4)).toEqual({ records: [], next: 4 });
});

test("what was rolled back is left out: twice by one producer, and without its marker in the answer", () => {
  const twice = [
    batch(0, 2, { producerId: 1n }),
    marker(2, 1n),
    batch(3, 1, { producerId: 1n }),
    marker(4, 1n),
    batch(5, 2, { producerId: 1n }),
    marker(7, 1n),
    batch(8, 1, { producerId: 2n }),
  ];
  expect(
    offsets(twice, 0, [
      [1n, 0],
      [1n, 5],
    ]),
  ).toEqual([3, 8]);
  const open = [batch(0, 2, { producerId: 1n }), batch(2, 2, { producerId: 2n })];
  expect(offsets(open, 0, [[1n, 0]])).toEqual([2, 3]);
});

const times = (attributes: number): number[] =>
  readable(AT, { records: [batch(0, 2, { attributes })], abortedTransactions: [] }, 0).records.map(
    ({ timestamp }) => timestamp,
  );

test("a record has the broker's time where the topic says so, else its own", () => {
  expect(times(LOG_APPEND_TIME)).toEqual([2000, 2000]);
  expect(times(0)).toEqual([1000, 1001]);
});

test("keys go where kafkajs puts them, of any number of topic partitions; records without one take turns", () => {
  const place = partitioner(new Map([["t", 24]]), 5);
  for (const key of ["abc", "ключ", "", "foobar"]) expect(place("t", key)).toBe(partitionOfKey(key, 24));
  expect([place("t", null), place("t", null)]).toEqual([5, 6]);
  expect(() => place("other", "k")).toThrow(/no topic partitions/);
});

test("the last offset of each topic partition is answered, and a missing answer is never success", () => {
  const place = partitioner(new Map([["t", 1]]));
  const sent = outgoing(
    ["a", "b", "c"].map((key) => ({ topic: "t", key, value: null, headers: { name: "é" } })),
    place,
  );
  expect([...(sent[0]?.headers ?? [])].map(String)).toEqual(["name,é"]);
  const answers = bases([{ topic: "t", partition: 0, offset: 7n }]);
  expect(latest(placed(sent, answers))).toEqual([{ ...AT, last_offset: 9 }]);
  expect(() => placed(sent, [])).toThrow(/whether it was written is unknown/);
});

test("an error says what caused it, and what passes by itself is told from what does not", () => {
  const refused = new NetworkError("Connection failed.", {
    cause: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
  });
  const away = new MultipleErrors("Cannot connect to any broker.", [refused]);
  expect(spokenOut(away).message).toMatch(/any broker.*ECONNREFUSED/);
  expect([isTransient(spokenOut(away)), lineIsDown(away)]).toEqual([true, true]);
  const large = new MultipleErrors("Producing failed.", [new ProtocolError("MESSAGE_TOO_LARGE")]);
  expect([isTransient(spokenOut(large)), lineIsDown(large)]).toEqual([false, false]);
  expect(isTransient(spokenOut(new UserError("Unknown topic t.")))).toBe(true);
  expect(isTransient(spokenOut(new ProtocolError("NOT_LEADER_OR_FOLLOWER")))).toBe(true);
  const fenced = new MultipleErrors("failed", [new MultipleErrors("again", [new ProtocolError("PRODUCER_FENCED")])]);
  expect(hasCode(fenced, "PRODUCER_FENCED")).toBe(true);
  expect(hasCode(away, "PRODUCER_FENCED")).toBe(false);
});

test("the security settings say the same to both clients", () => {
  const off = { ssl: false, ca: "", cert: "", key: "", sasl: null };
  expect(secured(off, ["kafka:9092"])).toEqual({});
  expect(secured({ ...off, ssl: true }, ["127.0.0.1:9092"])).toEqual({ tls: {}, tlsServerName: false });
  const login = { mechanism: "scram-sha-512", username: "u", password: "p" };
  expect(secured({ ...off, ssl: true, ca: "f", sasl: login }, ["kafka:9092"], () => "PEM")).toEqual({
    tls: { ca: ["PEM"] },
    tlsServerName: true,
    sasl: { mechanism: "SCRAM-SHA-512", username: "u", password: "p" },
  });
  expect(() => secured({ ...off, sasl: { ...login, mechanism: "plain" } }, [])).toThrow(/KAFKA_SSL=true/);
});
