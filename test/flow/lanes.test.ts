import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fetchFrom, judge, laneKey } from "../../src/flow/lanes.ts";
import { fingerprintOf } from "../../src/flow/positions.ts";
import { at, MemoryLog } from "../support/flow/memory-log.ts";

const implies = (condition: boolean, consequence: boolean): boolean => !condition || consequence;

const log = (count: number, text = ""): MemoryLog => {
  const made = new MemoryLog(1);
  for (let n = 0; n < count; n += 1) made.append(0, text);
  return made;
};

/** Every place that a lane can have in a log of up to 5 records, and every batch that can come back. */
const situation = fc
  .record({
    length: fc.nat(5),
    position: fc.nat(5),
    known: fc.boolean(),
    tailing: fc.boolean(),
    proven: fc.boolean(),
    off: fc.integer({ min: -2, max: 2 }),
    max: fc.nat(6),
    /** Offsets that are missing from the batch, as after deletion. */
    hidden: fc.uniqueArray(fc.nat(5)),
    recreated: fc.boolean(),
  })
  .filter(({ position, length }) => position <= length);

test("what a fetched batch is worth, for every lane and every batch", () => {
  fc.assert(
    fc.property(situation, ({ length, position, known, tailing, proven, off, max, hidden, recreated }) => {
      const before = log(length).read(0, 0, length).records;
      const last = before[position - 1];
      const fingerprint = known && last ? fingerprintOf(last) : null;
      const lane = { ...at(0), position, fingerprint, tailing, proven };
      const asked = fetchFrom(lane);
      const from = Math.max(0, asked + off);
      const read = log(length, recreated ? "other" : "").read(0, from, max);
      const batch = { ...read, records: read.records.filter((record) => !hidden.includes(record.offset)) };
      const judged = judge(lane, batch);
      const fresh = batch.records.filter((record) => record.offset >= position);

      const trusting = fingerprint === null || (proven && !tailing && asked === position);
      const proof = batch.records.find((record) => record.offset === position - 1);
      const is = (kind: string): boolean => judged.kind === kind;
      const rules = {
        "asks from the position, or from the record before it": asked === position || asked === position - 1,
        "suspects what was fetched from elsewhere": implies(from !== asked, is("suspect")),
        "works where there is nothing to prove": implies(
          from === asked && trusting,
          is(fresh.length > 0 ? "work" : "tail"),
        ),
        "works on what is new, all of it, in order": implies(
          is("work"),
          fresh.length > 0 && judged.kind === "work" && isDeepStrictEqual(judged.records, fresh),
        ),
        "needs the proof where there is one": implies(
          is("work") && fingerprint !== null && !proven,
          proof !== undefined && fingerprintOf(proof) === fingerprint,
        ),
        "refuses another log only": implies(is("refuse"), recreated),
        "reads on only where more is there": implies(is("proven"), batch.high_watermark > position),
        "verifies only while waiting at the end": implies(is("verify"), tailing),
      };
      expect(Object.entries(rules).filter(([, holds]) => !holds)).toEqual([]);
    }),
    { numRuns: 5000 },
  );
});

const lane = { ...at(0), position: 3, fingerprint: "", tailing: false, proven: false };
const known = { ...lane, fingerprint: fingerprintOf(log(4).read(0, 2, 1).records[0] as never) };

test("the last applied record proves the log, and what follows it is work", () => {
  expect(fetchFrom(known)).toBe(2);
  const judged = judge(known, log(5).read(0, 2, 9));
  expect(judged).toMatchObject({ kind: "work", records: [{ offset: 3 }, { offset: 4 }] });
});

test("another record in its place is refused, by name", () => {
  expect(judge(known, log(5, "other").read(0, 2, 9))).toEqual({
    kind: "refuse",
    reason: "log/0: the record at offset 2 is not the one that was applied last; the topic was recreated",
  });
});

test("a batch without the proof is suspect", () => {
  const batch = log(5).read(0, 2, 9);
  expect(judge(known, { ...batch, records: batch.records.slice(1) })).toEqual({ kind: "suspect" });
});

test("at the end the lane waits without re-reading, and verifies once something is there", () => {
  expect(judge(known, log(3).read(0, 2, 9))).toEqual({ kind: "tail" });
  const tailing = { ...known, tailing: true };
  expect(fetchFrom(tailing)).toBe(3);
  expect(judge(tailing, log(3).read(0, 3, 9))).toEqual({ kind: "tail" });
  expect(judge(tailing, log(4).read(0, 3, 9))).toEqual({ kind: "verify" });
});

test("where the proof alone fills a fetch, the next one comes after it and is work", () => {
  expect(judge(known, log(5).read(0, 2, 1))).toEqual({ kind: "proven" });
  const proven = { ...known, proven: true };
  expect(fetchFrom(proven)).toBe(3);
  expect(judge(proven, log(5).read(0, 3, 1))).toMatchObject({ kind: "work", records: [{ offset: 3 }] });
});

test("a lane is named by its topic and partition", () => {
  expect(laneKey({ topic: "t", topic_partition: 7 })).toBe("t/7");
});
