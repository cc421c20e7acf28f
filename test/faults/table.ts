import { textTable } from "../../src/ops/text-table.ts";

/** The groups of the matrix. Tests of a group stand in `fNN-what.test.ts`, their titles begin with `FN `. */
export const GROUPS: Readonly<Record<string, string>> = {
  F1: "kill -9 at every named step",
  F2: "kill -9 at random times under load",
  F3: "stopped for longer than its session, then going on",
  F4: "broker away, restarted, another one",
  F5: "Postgres away, blocked, full",
  F6: "object store away, failing, slow, refusing",
  F7: "registry away, slow, wrong",
  F8: "the same again, reordered, answers lost",
  F9: "workers join and leave",
  F10: "network slow, jittery, half-open, cut",
  F11: "disk, file handles, memory used up",
  F12: "clock shifts",
  F13: "poison",
  F14: "pairs of the above",
  F15: "old and new version side by side",
};

/** As far as it is read: what vitest's json reporter writes. */
export type Report = {
  testResults: {
    name: string;
    status: string;
    assertionResults: { title: string; status: string; meta?: { runs?: number } }[];
  }[];
};

/** `runs`: seeded scenarios that the auditor judged. `violations`: tests that failed, whatever they were about. */
export type Row = { group: string; runs: number; violations: number; seeds: number[]; failing: number[] };

const groupOfFile = (path: string): string => `F${Number(/\/f(\d+)-[^/]*$/.exec(path)?.[1] ?? 0)}`;

/** What one seed's report says of each group. A file that did not even load is a violation of its group. */
export const tally = (seed: number, { testResults }: Report): Row[] => {
  const rows = new Map<string, Row>();
  const add = (group: string, runs: number, violations: number): void => {
    const row = rows.get(group) ?? { group, runs: 0, violations: 0, seeds: [seed], failing: [] };
    row.runs += runs;
    row.violations += violations;
    row.failing = row.violations > 0 ? [seed] : [];
    rows.set(group, row);
  };
  for (const { name, status, assertionResults } of testResults) {
    const asked = assertionResults.filter((test) => test.status === "passed" || test.status === "failed");
    for (const test of asked) {
      const group = /^(F\d+) /.exec(test.title)?.[1] ?? groupOfFile(name);
      add(group, test.meta?.runs ?? 0, test.status === "failed" ? 1 : 0);
    }
    if (status === "failed" && !asked.some((test) => test.status === "failed")) add(groupOfFile(name), 0, 1);
  }
  return [...rows.values()];
};

export const sumUp = (rows: readonly Row[]): Row[] =>
  [...Map.groupBy(rows, (row) => row.group)]
    .map(([group, of]) => ({
      group,
      runs: of.reduce((sum, row) => sum + row.runs, 0),
      violations: of.reduce((sum, row) => sum + row.violations, 0),
      seeds: of.flatMap((row) => row.seeds),
      failing: of.flatMap((row) => row.failing),
    }))
    .toSorted((a, b) => Number(a.group.slice(1)) - Number(b.group.slice(1)));

/** 1, 2, 3, 5 → `1–3, 5`. */
export const ranges = (seeds: readonly number[]): string => {
  const sorted = [...new Set(seeds)].toSorted((a, b) => a - b);
  const parts: [from: number, to: number][] = [];
  for (const seed of sorted) {
    const last = parts.at(-1);
    if (last && last[1] === seed - 1) last[1] = seed;
    else parts.push([seed, seed]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(", ");
};

const whatOf = (group: string): string => GROUPS[group] ?? "the protocol's model (no services, not counted as runs)";

/** The table, and for every failing seed the command that replays it. */
export const render = (rows: readonly Row[]): string => {
  const lines = rows.map((r) => [
    GROUPS[r.group] ? r.group : "–",
    whatOf(r.group),
    r.runs,
    r.violations,
    ranges(r.seeds),
  ]);
  const all = rows.reduce((sum, row) => sum + row.runs, 0);
  const broken = rows.reduce((sum, row) => sum + row.violations, 0);
  const replays = rows.flatMap(({ group, failing }) =>
    failing.map((seed) => `replay: npm run faults --${GROUPS[group] ? ` --only ${group}` : ""} --seed ${seed}`),
  );
  return [
    ...textTable([["group", "what", "runs", "violations", "seeds"], ...lines]),
    `faults: ${all} runs, ${broken} violations`,
    ...replays,
  ].join("\n");
};

/** The asked groups of which nothing was judged: then the matrix has not held, it has not been played. */
export const silent = (rows: readonly Row[], asked: readonly string[]): string[] =>
  asked.filter((group) => !rows.some((row) => row.group === group && row.runs > 0));
