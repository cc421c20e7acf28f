import { expect, test } from "vitest";
import { ranges, render, silent, sumUp, tally, type Report } from "../../faults/table.ts";

const file = (
  name: string,
  ...tests: [title: string, status: string, runs?: number][]
): Report["testResults"][number] => ({
  name: `/somewhere/test/faults/${name}`,
  status: tests.some(([, status]) => status === "failed") ? "failed" : "passed",
  assertionResults: tests.map(([title, status, runs]) => ({ title, status, meta: runs === undefined ? {} : { runs } })),
});

test("runs are counted by the group that a title names, failures as violations of the seed", () => {
  const report = {
    testResults: [
      file("f04-f05-outages.test.ts", ["F4 the broker goes", "passed", 2], ["F5 Postgres goes", "failed", 1]),
      file("f06-objects.test.ts", ["F6 a list that is complete", "passed"]),
    ],
  };
  expect(tally(7, report)).toEqual([
    { group: "F4", runs: 2, violations: 0, seeds: [7], failing: [] },
    { group: "F5", runs: 1, violations: 1, seeds: [7], failing: [7] },
    { group: "F6", runs: 0, violations: 0, seeds: [7], failing: [] },
  ]);
});

test("a file that did not load is a violation of its group, a test left out by a filter is nothing", () => {
  const broken = { name: "/a/test/faults/f13-poison.test.ts", status: "failed", assertionResults: [] };
  const filtered = file("f04-f05-outages.test.ts", ["F4 the broker goes", "pending"]);
  expect(tally(1, { testResults: [broken, filtered] })).toEqual([
    { group: "F13", runs: 0, violations: 1, seeds: [1], failing: [1] },
  ]);
});

test("the table sums seeds up, names what failed with the command that replays it, and says of what nothing was judged", () => {
  const rows = sumUp(
    [1, 2, 3].flatMap((seed) =>
      tally(seed, { testResults: [file("f10-network.test.ts", ["F10 slow", seed === 2 ? "failed" : "passed", 4])] }),
    ),
  );
  const lines = render(rows).split("\n");
  expect(lines[1]).toMatch(/^F10 .* 12 +1 +1–3$/);
  expect(lines.slice(2)).toEqual(["faults: 12 runs, 1 violations", "replay: npm run faults -- --only F10 --seed 2"]);
  expect(silent(rows, ["F9", "F10"])).toEqual(["F9"]);
});

test("neighbouring seeds are shown as a range", () => {
  expect(ranges([3, 1, 2, 5, 2])).toBe("1–3, 5");
});
