import { Command, InvalidArgumentError } from "commander";
import type { Row } from "./import.ts";

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1");
  return value;
};

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const table = (rows: readonly Row[], bytes: number): string => {
  const cells = rows.map((row) => [
    row.what,
    Math.round(row.records / row.seconds).toLocaleString("en"),
    (bytes / 1e6 / row.seconds).toFixed(1),
    row.seconds.toFixed(1),
    ((row.cpu_s * 1e6) / row.records).toFixed(1),
    Math.round(row.peak_mb).toString(),
  ]);
  const head = ["", "records/s", "MB/s", "seconds", "CPU µs/record", "peak MB"];
  const all = [head, ...cells];
  const widths = head.map((_, at) => Math.max(...all.map((line) => line[at]?.length ?? 0)));
  const pad = (cell: string, at: number): string =>
    at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0);
  return all.map((line) => line.map(pad).join("  ")).join("\n");
};

/** `health-sync bench NAME`. Figures are of this machine at this moment: compare within one run only. */
export const benchCommand = (): Command => {
  const command = new Command("bench").description(
    "benchmarks on a stack of their own; compare figures within one run only",
  );
  command
    .command("import")
    .description("a generated export.xml end to end, beside parsing alone")
    .option("--mb <n>", "size of the export", number, 300)
    .option("--seed <n>", "of the generator", number, 1)
    .option("--json", "print JSON")
    .action(async ({ mb, seed, json }: { mb: number; seed: number; json?: true }) => {
      const { benchImport } = await import("./import.ts");
      const { rows, bytes } = await benchImport({ mb, seed, say });
      process.stdout.write(`${json ? JSON.stringify({ mb, seed, bytes, rows }, null, 2) : table(rows, bytes)}\n`);
    });
  return command;
};
