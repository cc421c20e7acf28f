import { type Command, Option } from "commander";
import type { Size } from "../all.ts";
import { benchmark, type Common, printed, say } from "./options.ts";

type AllOptions = Common & {
  size: Size;
  only?: string[];
  peer?: string;
  postgresExtension?: string;
  httpfs?: string;
};

export const all = (): Command =>
  benchmark("all", "B1 to B10, one after the other, and one table: figure, ceiling, peer, ratio, goal")
    .addOption(
      new Option("--size <size>", "small: about half an hour on two quiet cores; full: the sizes of the goals, hours")
        .choices(["small", "full"])
        .default("small"),
    )
    .option("--only <names...>", "of these subcommands alone")
    .option("--peer <program>", "healthkit-to-sqlite, for import")
    .option("--postgres-extension <file>", "DuckDB's Postgres scanner, for panes")
    .option("--httpfs <file>", "DuckDB's httpfs, for history")
    .action(async ({ size, only, peer, postgresExtension, httpfs, json, stack }: AllOptions) => {
      const { benchAll, allText } = await import("../all.ts");
      const peers = { importer: peer, postgres: postgresExtension, httpfs };
      const lines = await benchAll({ size, only, peers, stack, say });
      printed(json, lines, allText);
      process.exitCode = lines.some(({ value }) => value.startsWith("failed")) ? 1 : 0;
    });
