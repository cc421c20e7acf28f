import type { Command } from "commander";
import { benchmark, type Common, number, printed, say } from "./options.ts";

type FreshnessOptions = Common & { seconds: number; live: number; body: number; history: number; seed: number };

const freshness = (): Command =>
  benchmark("freshness", "POST to visible at 10, 50 and 80 % of capacity, panes idle and busy")
    .option("--seconds <n>", "of each phase, and of measuring capacity", number, 10)
    .option("--live <n>", "samples a second that are looked for", number, 10)
    .option("--body <n>", "samples in a body of the load", number, 50)
    .option("--history <n>", "samples of history that keep panes busy", number, 120_000)
    .option("--seed <n>", "of the generator", number, 1)
    .action(async ({ json, stack, ...options }: FreshnessOptions) => {
      const { benchFreshness } = await import("../freshness.ts");
      const { freshnessText } = await import("../freshness-text.ts");
      printed(json, await benchFreshness({ ...options, stack, say }), freshnessText);
    });

type GrownOptions = Common & { athletes: number; days: number; seed: number };

const month = (): Command =>
  benchmark("month", "staging over a simulated month: rows, table and indexes, day by day")
    .option("--athletes <n>", "about 610 samples a day each", number, 4)
    .option("--days <n>", "simulated, each a start of the service", number, 30)
    .option("--seed <n>", "of the generator", number, 1)
    .action(async ({ json, stack, ...options }: GrownOptions) => {
      const { benchMonth } = await import("../month.ts");
      const { monthText } = await import("../month-text.ts");
      printed(json, await benchMonth({ ...options, stack, say }), monthText);
    });

/** Benchmarks of the service as a whole. */
export const wholeBenchmarks = (): Command[] => [freshness(), month()];
