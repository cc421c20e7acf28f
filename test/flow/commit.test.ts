import { expect, test } from "vitest";
import { StartOver, noteAndPut, settleObjects } from "../../src/flow/commit.ts";
import type { ObjectWrite } from "../../src/flow/effects.ts";
import type { Database, ObjectStore, Tx } from "../../src/flow/ports.ts";
import { applyRecords } from "../../src/flow/apply.ts";
import { applySome } from "../../src/flow/caution.ts";
import { fingerprintOf } from "../../src/flow/positions.ts";
import { canonicalJson } from "../../src/domain/canonical.ts";
import { anyStage } from "../../src/flow/stage.ts";
import { topicNames } from "../../src/flow/topics.ts";

const clock = { now: () => 1_000 };
const writes = (count: number): ObjectWrite[] =>
  Array.from({ length: count }, (_, n) => ({ key: `k${n}`, athlete_id: "anna", body: new Uint8Array([n]) }));

/** Ports that only write down what is asked of them: the order is what is tested; the real ones have suites of their own. */
const recorder = (answers: unknown[][] = []) => {
  const seen: string[] = [];
  const query = async <Row>(text: string, params: readonly unknown[] = []): Promise<Row[]> => {
    const [verb = "", table = ""] = /(insert into|delete from) (\w+)/.exec(text)?.slice(1) ?? [];
    seen.push(`${verb} ${table} ${JSON.stringify(params[0])}`);
    return (answers.shift() ?? []) as Row[];
  };
  const tx = { query } as unknown as Tx;
  const db = { query } as unknown as Database;
  const put = async (key: string): Promise<void> => void seen.push(`put ${key}`);
  const onStep = (step: string): void => void seen.push(step);
  return { seen, tx, db, objects: { put } as unknown as ObjectStore, onStep };
};

test("every object is noted before any is put, and each step is told in its place", async () => {
  const { seen, db, objects, onStep } = recorder();
  await noteAndPut({ db, objects, clock, onStep, step: "pane" }, writes(3));
  expect(seen).toEqual([
    'insert into object_intents ["k0","k1","k2"]',
    "pane.noted",
    "put k0",
    "pane.put-some",
    "put k1",
    "put k2",
    "pane.put",
  ]);
});

test("without objects nothing is noted and none is put, and the steps around them are told all the same", async () => {
  const { seen, db, objects, onStep } = recorder();
  await noteAndPut({ db, objects, clock, onStep, step: "pane" }, []);
  expect(seen).toEqual(["pane.noted", "pane.put"]);
});

test("each object uses up its intent, and what it replaced goes to the sweeper", async () => {
  const { seen, tx } = recorder([[{}, {}]]);
  await settleObjects(tx, { objects: writes(2), superseded: [{ key: "old", athlete_id: "anna" }] }, clock);
  expect(seen).toEqual(['delete from object_intents ["k0","k1"]', 'insert into object_intents ["old"]']);
});

test("an intent that is gone or condemned means starting over: the object may be deleted already", async () => {
  const { tx } = recorder([[{}]]);
  await expect(settleObjects(tx, { objects: writes(2), superseded: [] }, clock)).rejects.toThrow(StartOver);
});

test("a pane that wrote and replaced nothing asks nothing of the table", async () => {
  const { seen, tx } = recorder();
  await settleObjects(tx, { objects: [], superseded: [] }, clock);
  expect(seen).toEqual([]);
});

test("no records are no work: to ask for it is a bug", async () => {
  const [deps, stage, lane] = [{ onStep: () => undefined } as never, { name: "a" } as never, { position: 1 } as never];
  await expect(applyRecords(deps, stage, lane, [])).rejects.toThrow("at least one record");
  await expect(applySome(deps, stage, lane, [])).rejects.toThrow("at least one record");
});

test("a tombstone has a fingerprint of its own time", () => {
  expect(fingerprintOf({ timestamp: 1, value: null })).not.toBe(fingerprintOf({ timestamp: 2, value: null }));
  expect(fingerprintOf({ timestamp: 1, value: null })).not.toBe(
    fingerprintOf({ timestamp: 1, value: Buffer.from("x") }),
  );
});

test("what has no JSON is null in a list and absent in an object", () => {
  expect(canonicalJson([undefined, { b: undefined, a: 1 }])).toBe('[null,{"a":1}]');
});

test("topics are named under the environment's prefix, and a stage keeps its identity among others", () => {
  expect(topicNames()("sleep-sessions")).toBe("health.sleep-sessions.v1");
  expect(topicNames("t1.")("samples")).toBe("t1.health.samples.v1");
  const stage = { name: "staging" };
  expect(anyStage(stage)).toBe(stage);
});
