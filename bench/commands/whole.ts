import type { Command } from "commander";
import { all } from "./all.ts";
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

type GrowthOptions = Common & { most: number; density: number; queries: number; seed: number };

const growth = (): Command =>
  benchmark("growth", "athletes × days: CPU of ingest, bytes stored, a point query, and their slopes")
    .option("--most <n>", "samples a cell; larger cells are left out (the whole: 10000000)", number, 40_000)
    .option("--density <percent>", "of a generated day's 520 samples", number, 7)
    .option("--queries <n>", "a cell", number, 40)
    .option("--seed <n>", "of the generator", number, 1)
    .action(async ({ json, stack, ...options }: GrowthOptions) => {
      const { benchGrowth } = await import("../growth.ts");
      const { growthText } = await import("../growth-text.ts");
      printed(json, await benchGrowth({ ...options, stack, say }), growthText);
    });

const recovery = (): Command =>
  benchmark("recovery", "an hour's backlog against real time; a killed worker until its first commit")
    .option("--athletes <n>", "whose hour it is", number, 2_000)
    .option("--kills <n>", "while samples come in", number, 5)
    .option("--seed <n>", "of the generator", number, 1)
    .action(async ({ json, stack, ...options }: Common & { athletes: number; kills: number; seed: number }) => {
      const { benchRecovery, recoveryText } = await import("../recovery.ts");
      printed(json, await benchRecovery({ ...options, stack, say }), recoveryText);
    });

type IdleOptions = Common & { minutes: number; athletes: number; trace: number; seed: number };

const idle = (): Command =>
  benchmark("idle", "a day of many athletes compressed into minutes, then nothing: CPU and memory")
    .option("--minutes <n>", "of nothing (the whole: 10)", number, 1)
    .option("--athletes <n>", "of the trace (the whole: 1000)", number, 50)
    .option("--trace <minutes>", "into which their day is compressed (the whole: 30)", number, 2)
    .option("--seed <n>", "of the generator", number, 1)
    .action(async ({ json, stack, ...options }: IdleOptions) => {
      const { benchIdle } = await import("../idle.ts");
      const { idleText } = await import("../idle-text.ts");
      printed(json, await benchIdle({ ...options, stack, say }), idleText);
    });

/** Benchmarks of the service as a whole. */
export const wholeBenchmarks = (): Command[] => [freshness(), growth(), month(), recovery(), idle(), all()];
