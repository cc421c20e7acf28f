import { expect, test } from "vitest";
import { lockAthlete, nextRevisions, raiseVersion, readAthlete } from "../../src/flow/athletes.ts";
import type { Tx } from "../../src/flow/ports.ts";
import { STAGED_NAMES, STAGED_TYPES, asSample, cellsOfSample, sampleOfCells } from "../../src/flow/staged-rows.ts";
import type { Sample } from "../../src/domain/sample.ts";

/** Writes down the statements' first words and answers in turn; the real ones run in the stages' tests. */
const recorder = (answers: unknown[][] = []) => {
  const seen: string[] = [];
  const query = async (text: string, params: readonly unknown[] = []): Promise<unknown[]> => {
    seen.push(`${text.trimStart().split(" ")[0]} ${JSON.stringify(params)}`);
    return answers.shift() ?? [];
  };
  return { seen, tx: { query } as unknown as Tx };
};

test("an athlete is made where missing, locked, and answered with the version", async () => {
  const { seen, tx } = recorder([[], [{ version: 3 }]]);
  expect(await lockAthlete(tx, "anna")).toBe(3);
  expect(seen).toEqual(['insert ["anna"]', 'select ["anna"]']);
});

test("an athlete without a row has version 0 and nobody's settings", async () => {
  expect(await lockAthlete(recorder().tx, "anna")).toBe(0);
  expect(await readAthlete(recorder().tx, "anna")).toEqual({ version: 0, settings: { zones: [], source_order: {} } });
});

test("zones come as instants, however they were stored", async () => {
  const zones = [
    { from: "1970-01-01T00:00:00Z", zone: "Europe/Amsterdam" },
    { from: 5, zone: "Asia/Tokyo" },
  ];
  const { tx } = recorder([[{ version: 2, zones, source_order: { steps: ["watch"] } }]]);
  expect(await readAthlete(tx, "anna")).toEqual({
    version: 2,
    settings: {
      zones: [
        { from: 0, zone: "Europe/Amsterdam" },
        { from: 5, zone: "Asia/Tokyo" },
      ],
      source_order: { steps: ["watch"] },
    },
  });
});

test("the version is raised by one statement", async () => {
  const { seen, tx } = recorder();
  await raiseVersion(tx, "anna");
  expect(seen).toEqual(['update ["anna"]']);
});

test("revisions are taken as many as asked for, and none without a question", async () => {
  const { seen, tx } = recorder([[{ n: 8 }, { n: 9 }]]);
  expect(await nextRevisions(tx, 0)).toEqual([]);
  expect(await nextRevisions(tx, 2)).toEqual([8, 9]);
  expect(seen).toEqual(["select [2]"]);
});

const sample: Sample = {
  athlete_id: "anna",
  sample_id: "00000000-0000-4000-8000-000000000001",
  metric: "steps",
  start_at: 1,
  end_at: 2,
  value: 3,
  unit: "count",
  source: "Watch",
  device: null,
  tz: "UTC",
  local_date: "1970-01-01",
  attributes: { bundle_id: "com.example" },
  received_at: 4,
};

test("a staged sample is the same after COPY in both directions, its cells in the order of the columns", () => {
  expect(sampleOfCells(cellsOfSample(sample))).toEqual(sample);
  expect(STAGED_NAMES.split(", ")).toEqual(Object.keys(sample));
  expect(STAGED_TYPES).toHaveLength(cellsOfSample(sample).length);
});

test("a row without attributes is a sample with none", () => {
  expect(asSample({ ...sample, attributes: null }).attributes).toEqual({});
  const bare = { ...sample, attributes: {} };
  expect(sampleOfCells(cellsOfSample(bare).map((cell, at) => (at === 11 ? null : cell)))).toEqual(bare);
});
