import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { audit } from "./audit.ts";
import { auditEnvironment } from "./environment.ts";
import { readLedger } from "./ledger.ts";
import { passed, render } from "./verdict.ts";

const USAGE = `npm run audit -- LEDGER.ndjson [--grace 8d] [--values] [--json]

Checks I2, I4, I5, I6 and I7 of architecture.md from a client's ledger and the stores alone.
Run it when nothing is under way (health-sync wait). The stores are named by the variables that
\`health-sync stack up\` prints. --grace: how long an object without a pointer may stay (ms, s, m, h, d).
--values shows health values beside the ids. Exit code 0 only if every invariant held on something.`;

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const duration = (text: string): number => {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (!match) throw new Error(`--grace ${text}: write a number and a unit, such as 8d or 30s`);
  return Number(match[1]) * (UNITS[match[2] ?? ""] ?? Number.NaN);
};

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      grace: { type: "string", default: "8d" },
      values: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const file = positionals[0];
  if (values.help || file === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return values.help ? 0 : 2;
  }
  const lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) lines.push(line);
  const verdicts = await audit(auditEnvironment(process.env), readLedger(lines), { graceMs: duration(values.grace) });
  const shown = (name: string, value: unknown): unknown => (name === "values" && !values.values ? undefined : value);
  process.stdout.write(`${values.json ? JSON.stringify(verdicts, shown) : render(verdicts, values.values)}\n`);
  return verdicts.every(passed) ? 0 : 1;
};

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`audit: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
