import { Command } from "commander";
import { benchmark, type Common, number, printed, rounds, type RoundsOptions, say } from "./commands/options.ts";
import { stageBenchmarks } from "./commands/stages.ts";
import { wholeBenchmarks } from "./commands/whole.ts";
import { PEER, type Row } from "./import-rows.ts";

/** `times peer`: how many times faster than what a person would run instead, in this same run. */
const table = (rows: readonly Row[], bytes: number): string => {
  const peer = rows.find(({ what }) => what === PEER);
  const cells = rows.map((row) => [
    row.what,
    Math.round(row.records / row.seconds).toLocaleString("en"),
    (bytes / 1e6 / row.seconds).toFixed(1),
    row.seconds.toFixed(1),
    ((row.cpu_s * 1e6) / row.records).toFixed(1),
    Math.round(row.peak_mb).toString(),
    peer === undefined ? "–" : (peer.seconds / row.seconds).toFixed(2),
  ]);
  const head = ["", "records/s", "MB/s", "seconds", "CPU µs/record", "peak MB", "times peer"];
  const all = [head, ...cells];
  const widths = head.map((_, at) => Math.max(...all.map((line) => line[at]?.length ?? 0)));
  const pad = (cell: string, at: number): string =>
    at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0);
  return all.map((line) => line.map(pad).join("  ")).join("\n");
};

type ImportOptions = { mb: number; seed: number; peer?: string; edgeOnly?: boolean; json?: true };

type BackfillOptions = Common & { athletes: number; days: number; live: number; before: number; seed: number };

const backfill = (): Command =>
  benchmark("backfill", "years of several athletes imported while live samples flow: freshness, memory, objects")
    .option("--athletes <n>", "athletes whose exports are imported side by side", number, 3)
    .option("--days <n>", "days of each, about 1,600 records a day", number, 60)
    .option("--live <n>", "live samples a second", number, 4)
    .option("--before <seconds>", "how long live traffic flows alone first", number, 30)
    .option("--seed <n>", "of the generator", number, 1)
    .action(async ({ json, stack, before, ...options }: BackfillOptions) => {
      const { benchBackfill } = await import("./backfill.ts");
      const { backfillText } = await import("./backfill-text.ts");
      printed(json, await benchBackfill({ ...options, before_s: before, stack, say }), backfillText);
    });

const replay = (): Command =>
  benchmark("replay", "a history sent once, then replayed twice while live samples flow")
    .option("--athletes <n>", "whose history it is", number, 4)
    .option("--days <n>", "of each, about 550 samples a day", number, 30)
    .option("--live <n>", "live samples a second", number, 4)
    .option("--seed <n>", "of the generator", number, 1)
    .action(async ({ json, stack, ...options }: Omit<BackfillOptions, "before">) => {
      const { benchReplay } = await import("./replay.ts");
      const { replayText } = await import("./backfill-text.ts");
      printed(json, await benchReplay({ ...options, stack, say }), replayText);
    });

const history = (): Command =>
  rounds(benchmark("history", "one metric over a day, 30 days and a year, cold and warm, beside DuckDB"))
    .option(
      "--httpfs <file>",
      "DuckDB's extension httpfs of its own version: DuckDB reads the object store itself, too",
    )
    .action(async ({ json, stack, httpfs, ...options }: RoundsOptions & { httpfs?: string }) => {
      const { benchHistory } = await import("./history.ts");
      const { historyText } = await import("./lake-text.ts");
      printed(json, await benchHistory({ ...options, httpfs, stack, say }), historyText);
    });

const deletions = (): Command =>
  rounds(benchmark("deletions", "1, 50 and 1,000 deletions by id alone over days and months of history"))
    .option("--days <n>", "of history", number, 731)
    .action(async ({ json, stack, ...options }: RoundsOptions & { days: number }) => {
      const { benchDeletions } = await import("./deletions.ts");
      const { deletionsText } = await import("./lake-text.ts");
      printed(json, await benchDeletions({ ...options, stack, say }), deletionsText);
    });

type EdgeOptions = Common & { jars?: string; samples: number; rounds: number; seed: number };

const edge = (): Command =>
  benchmark("edge", "JSON to acknowledged in bodies of 1, 100 and 1,000, beside the raw client and the usual way")
    .option("--samples <n>", "of each size of body and round; at most 2,000 bodies", number, 40_000)
    .option("--jars <folder>", "of Kafka's tools (org.apache.kafka:kafka-tools): runs producer-perf-test beside it")
    .option("--rounds <n>", "of all contenders in turn", number, 5)
    .option("--seed <n>", "of the generator", number, 1)
    .action(async ({ json, stack, ...options }: EdgeOptions) => {
      const { benchEdge } = await import("./edge.ts");
      const { edgeText } = await import("./edge-text.ts");
      printed(json, await benchEdge({ ...options, stack, say }), edgeText);
    });

type UploadOptions = Common & { mb: number; steps: number; seed: number };

const upload = (): Command =>
  benchmark("upload", "export.zip through the upload door, larger each time: the most memory that the edge takes")
    .option("--mb <n>", "of XML in the largest", number, 300)
    .option("--steps <n>", "so many sizes up to it", number, 3)
    .option("--seed <n>", "of the generator", number, 1)
    .action(async ({ json, stack, ...options }: UploadOptions) => {
      const { benchUpload, uploadText } = await import("./upload.ts");
      printed(json, await benchUpload({ ...options, stack, say }), uploadText);
    });

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
    .option("--peer <program>", `the ${PEER} to compare with, where it is not on the PATH`)
    .option("--edge-only", "stop once Kafka has acknowledged everything; no worker runs")
    .option("--json", "print JSON")
    .action(async ({ mb, seed, json, peer = PEER, edgeOnly = false }: ImportOptions) => {
      const { benchImport } = await import("./import.ts");
      const { rows, bytes } = await benchImport({ mb, seed, peer, edgeOnly, say });
      process.stdout.write(`${json ? JSON.stringify({ mb, seed, bytes, rows }, null, 2) : table(rows, bytes)}\n`);
    });
  for (const one of [...stageBenchmarks(), ...wholeBenchmarks()]) command.addCommand(one);
  return command
    .addCommand(edge())
    .addCommand(upload())
    .addCommand(backfill())
    .addCommand(history())
    .addCommand(deletions())
    .addCommand(replay());
};
