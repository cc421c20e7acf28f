import { Command, InvalidArgumentError, Option } from "commander";
import { isLocalDate } from "../domain/local-day.ts";
import type { LocalDate } from "../domain/sample.ts";
import type { Database } from "../flow/ports.ts";
import { athleteArgument } from "./athlete-argument.ts";
import { liveObjects } from "./lake.ts";
import { ENGINES, type Engine, lakeSql } from "./lake-sql.ts";

type Deps = {
  print: (line: string) => void;
  open: () => Promise<{ db: Database; bucket: string; endpoint: string | null; region: string }>;
};

type Options = {
  engine: Engine;
  athlete?: string;
  from?: LocalDate;
  to?: LocalDate;
  metric?: string;
  sleep?: true;
  base?: string;
  json?: true;
};

const dateOption = (text: string): LocalDate => {
  if (isLocalDate(text)) return text;
  throw new InvalidArgumentError("write a local date like 2026-11-21");
};

const metricOption = (text: string): string => {
  if (/^[a-z0-9_]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError("write a metric's key like heart_rate (docs/metrics.md), or with --sleep a channel");
};

const run = async (deps: Deps, options: Options): Promise<void> => {
  const { db, bucket, endpoint, region } = await deps.open();
  try {
    const { athlete = null, from = null, to = null, metric = null, sleep = false } = options;
    const selection = { sleep, athlete_id: athlete, from, to, metric };
    const objects = await liveObjects(db, selection);
    const base = (options.base ?? `s3://${bucket}`).replace(/\/*$/, "/");
    if (options.json) {
      return deps.print(JSON.stringify(objects.map((object) => ({ url: base + object.object_key, ...object }))));
    }
    if (objects.length === 0)
      throw new Error("no live object is selected: days that are still open are in staging only");
    for (const line of lakeSql(options.engine, selection, objects, { base, endpoint, region })) deps.print(line);
  } finally {
    await db.close();
  }
};

/** `health-sync lake sql`: a query over exactly the live objects. Needs Postgres alone. */
export const lakeCommand = (deps: Deps): Command =>
  new Command("lake").description("the Parquet objects, for engines of your own (docs/lake.md)").addCommand(
    new Command("sql")
      .description("print SQL that makes a view of exactly the live objects: samples, or with --sleep nights")
      .addOption(new Option("--engine <engine>", "that will run it").choices(ENGINES).default("duckdb"))
      .option("--athlete <id>", "of one athlete", athleteArgument)
      .option("--from <date>", "first local date", dateOption)
      .option("--to <date>", "last local date", dateOption)
      .option("--metric <metric>", "of one metric; with --sleep, one channel", metricOption)
      .option("--sleep", "sleep streams instead of samples; the dates are those of the wake")
      .option("--base <url>", "what stands before the keys instead of s3://BUCKET/: a folder that mirrors the bucket")
      .option("--json", "print the list of objects instead")
      .action((options: Options) => run(deps, options)),
  );
