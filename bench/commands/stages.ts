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

/** Benchmarks of single stages. */
export const stageBenchmarks = (): Command[] => [staging()];
