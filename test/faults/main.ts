import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";

/**
 * `npm run faults`: the whole matrix on real services. Every step that the product exports is killed, the model plays
 * many thousand interleavings; repeated with other seeds for as long as asked.
 */
const USAGE = `npm run faults -- [--seed N] [--runs N] [--soak 8h]

Runs test/faults with every step, and the fast model at length; --runs repeats with the next seeds, --soak goes on for
so long (s, m, h). A failing seed is printed and replays with --seed N. Exit code 0 only if every run held.`;

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000 };
const root = join(import.meta.dirname, "..", "..");

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "1" },
    soak: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const duration = (text: string): number => {
  const match = /^(\d+)([smh])$/.exec(text);
  if (!match) throw new Error(`--soak ${text}: write a number and s, m or h, such as 8h`);
  return Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
};

const vitest = (seed: number): Promise<number> =>
  new Promise((resolve) => {
    const env = { ...process.env, FAULTS: "all", FAULT_SEED: String(seed), MODEL_RUNS: "20000" };
    const program = join(root, "node_modules", "vitest", "vitest.mjs");
    const args = [program, "run", "--testTimeout=3600000", "test/faults", "test/pure/model"];
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: "inherit" });
    child.on("error", () => resolve(1));
    child.on("exit", (code) => resolve(code ?? 1));
  });

const main = async (): Promise<number> => {
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const until = Date.now() + (values.soak === undefined ? 0 : duration(values.soak));
  const failed: number[] = [];
  let done = 0;
  for (let seed = Number(values.seed); done < Number(values.runs) || Date.now() < until; seed += 1) {
    process.stdout.write(`faults: seed ${seed}\n`);
    if ((await vitest(seed)) !== 0) failed.push(seed);
    done += 1;
  }
  process.stdout.write(
    `faults: ${done} runs, ${failed.length} failed${failed.length ? `: seeds ${failed.join(", ")}` : ""}\n`,
  );
  return failed.length === 0 ? 0 : 1;
};

process.exitCode = await main();
