import type { Command } from "commander";
import { benchmark, number, printed, rounds, type RoundsOptions, say } from "./options.ts";

const staging = (): Command =>
  rounds(benchmark("staging", "a topic to rows: fresh, a tenth and all duplicates; COPY and the usual ways"))
    .option("--rows <n>", "about so many samples", number, 100_000)
    .action(async ({ json, stack, ...options }: RoundsOptions & { rows: number }) => {
      const { benchStaging } = await import("../staging.ts");
      const { stagingText } = await import("../staging-text.ts");
      printed(json, await benchStaging({ ...options, stack, say }), stagingText);
    });

type PanesOptions = RoundsOptions & { rows: number; days: number; times: number; postgresExtension?: string };

const panes = (): Command =>
  rounds(benchmark("panes", "staged rows to Parquet, pointers and results; draining alone and DuckDB beside it"))
    .option("--rows <n>", "about so many samples", number, 50_000)
    .option("--days <n>", "of each athlete", number, 10)
    .option("--times <n>", "so many times the rows, once, at the end: memory must not follow", number, 10)
    .option("--postgres-extension <file>", "DuckDB's Postgres scanner; absent: through a CSV file")
    .action(async ({ json, stack, postgresExtension, ...options }: PanesOptions) => {
      const { benchPanes } = await import("../panes.ts");
      const { panesText } = await import("../panes-text.ts");
      printed(json, await benchPanes({ ...options, extension: postgresExtension, stack, say }), panesText);
    });

type ClientsOptions = Omit<RoundsOptions, "seed"> & { records: number; seconds: number };

const clients = (): Command =>
  benchmark("clients", "both Kafka clients: produce, consume, idle latency, and the gap after a kill")
    .option("--rounds <n>", "of both in turn", number, 5)
    .option("--records <n>", "of 2 KB, of each round", number, 30_000)
    .option("--seconds <n>", "of each idle phase", number, 20)
    .action(async ({ json, stack, ...options }: ClientsOptions) => {
      const { benchClients } = await import("../clients.ts");
      const { clientsText } = await import("../clients-text.ts");
      printed(json, await benchClients({ ...options, stack, say }), clientsText);
    });

/** Benchmarks of single stages and ports. */
export const stageBenchmarks = (): Command[] => [staging(), panes(), clients()];
