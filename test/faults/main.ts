import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { GROUPS, render, silent, sumUp, tally, type Report, type Row } from "./table.ts";

/**
 * `npm run faults`: the whole matrix on real services, judged by the auditor; the fast model is played at length
 * beside it when no group is asked for.
 */
const USAGE = `npm run faults -- [--only F3[,F6]] [--seed 42] [--runs N] [--soak 8h] [--json]

Runs the groups ${Object.keys(GROUPS).join(", ")} of the fault matrix (all unless --only says which).
--seed is the first seed, --runs how many seeds, --soak goes on with the next seeds for so long (s, m, h).
Ends with a table: group, what, runs (scenarios that the auditor judged), violations, seeds, and for each
failing seed the command that replays it; --json prints its rows instead, progress goes to stderr.
Exit code 0 only if nothing was violated and every asked group was judged.`;

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000 };
const root = join(import.meta.dirname, "..", "..");
const folder = join(root, ".cache");

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "1" },
    soak: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const duration = (text: string): number => {
  const match = /^(\d+)([smh])$/.exec(text);
  if (!match) throw new Error(`--soak ${text}: write a number and s, m or h, such as 8h`);
  return Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
};

/** The groups that stand in `test/faults`, by the names of its files. */
const built = (): Map<string, string[]> => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.ts"));
  const pairs = files.flatMap((name) =>
    [...name.matchAll(/(?<![a-z])f(\d\d)(?=-)/g)].map((match) => ({ group: `F${Number(match[1])}`, name })),
  );
  return new Map(
    [...Map.groupBy(pairs, (pair) => pair.group)].map(([group, of]) => [group, of.map(({ name }) => name)]),
  );
};

const chosen = (known: ReadonlyMap<string, string[]>): string[] => {
  if (values.only === undefined) return [...known.keys()];
  const asked = values.only.split(",").map((group) => group.trim().toUpperCase());
  const wrong = asked.filter((group) => !known.has(group));
  if (wrong.length > 0) throw new Error(`--only ${wrong.join(",")}: there are ${[...known.keys()].join(", ")}`);
  return asked;
};

/** One seed of the chosen groups; progress is vitest's own. */
const play = async (seed: number, groups: readonly string[], files: readonly string[]): Promise<Row[]> => {
  const outputFile = join(folder, `faults-${process.pid}.json`);
  const env = { ...process.env, FAULTS: "all", FAULT_SEED: String(seed), MODEL_RUNS: "20000" };
  const args = [
    join(root, "node_modules", "vitest", "vitest.mjs"),
    "run",
    "--testTimeout=3600000",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${outputFile}`,
    ...(values.only === undefined ? ["test/pure/model"] : ["-t", `(^| )(${groups.join("|")}) `]),
    ...files.map((name) => join("test/faults", name)),
  ];
  try {
    const code = await new Promise<number>((resolve) => {
      const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", values.json ? 2 : 1, 2] });
      child.on("error", () => resolve(1));
      child.on("exit", (status) => resolve(status ?? 1));
    });
    const rows = tally(seed, JSON.parse(readFileSync(outputFile, "utf8")) as Report);
    if (code !== 0 && rows.every((row) => row.violations === 0)) throw new Error("vitest failed outside its tests");
    return rows;
  } finally {
    rmSync(outputFile, { force: true });
  }
};

const main = async (): Promise<number> => {
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const known = built();
  const groups = chosen(known);
  const files = [...new Set(groups.flatMap((group) => known.get(group) ?? []))].toSorted();
  const until = Date.now() + (values.soak === undefined ? 0 : duration(values.soak));
  mkdirSync(folder, { recursive: true });
  const first = Number(values.seed);
  let rows: Row[] = [];
  for (let seed = first; seed < first + Number(values.runs) || Date.now() < until; seed += 1) {
    process.stderr.write(`faults: seed ${seed}, ${groups.join(", ")}\n`);
    rows = sumUp([...rows, ...(await play(seed, groups, files))]);
    process.stderr.write(`${render(rows)}\n`);
  }
  const unheard = silent(rows, groups);
  process.stdout.write(`${values.json ? JSON.stringify({ groups: rows, silent: unheard }) : render(rows)}\n`);
  if (unheard.length > 0) process.stderr.write(`faults: nothing was judged of ${unheard.join(", ")}\n`);
  return unheard.length === 0 && rows.every((row) => row.violations === 0) ? 0 : 1;
};

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`faults: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
