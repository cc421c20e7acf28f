#!/usr/bin/env node
import { Command, InvalidArgumentError } from "commander";
import { benchCommand } from "../bench/command.ts";
import type { Role } from "./app-serve.ts";
import type { Connections } from "./app.ts";
import { VERSION, connect, isTransient } from "./app.ts";
import { readConfig, settingsHelp } from "./config.ts";
import { openDatabase } from "./io/postgres.ts";
import { leanHeap } from "./lean-heap.ts";
import { deadLettersCommand } from "./ops/dead-letters-command.ts";
import { demoCommand } from "./ops/demo-command.ts";
import { eraseCommand } from "./ops/erase-command.ts";
import { doctorCommand } from "./ops/doctor-command.ts";
import { exportCommand } from "./ops/export-command.ts";
import { explainCommand } from "./ops/explain-command.ts";
import { importCommand } from "./ops/import.ts";
import { lakeCommand } from "./ops/lake-command.ts";
import { migrateCommand } from "./ops/migrate-command.ts";
import { positionsCommand } from "./ops/positions-command.ts";
import { replayCommand } from "./ops/replay-command.ts";
import { stackCommand } from "./ops/stack-command.ts";
import { recomputeCommand } from "./ops/recompute-command.ts";
import { tokenCommand } from "./ops/token.ts";
import { revokeCommand } from "./ops/token-revoke.ts";
import { topicsCommand } from "./ops/topics-command.ts";
import { waitCommand } from "./ops/wait.ts";

// What only one command needs is loaded by that command: an import's memory is not spent on HTTP and panes.
const ROLES: readonly Role[] = ["edge", "worker", "api"];
const WAIT_MS = 30 * 60_000;
const config = () => readConfig(process.env);
const connected = (): Connections => connect(config(), "command");
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const progress = (line: string): void => void (process.stderr.isTTY && process.stderr.write(`${line}\n`));

const rolesOption = (text: string): Role[] => {
  const roles = text.split(",");
  const unknown = roles.filter((role) => !ROLES.includes(role as Role));
  if (unknown.length > 0) throw new InvalidArgumentError(`${unknown.join(", ")}: choose from ${ROLES.join(", ")}`);
  return roles as Role[];
};

const serveCommand = (): Command =>
  new Command("serve")
    .description("run the service: the HTTP edge, the worker (supervised) and the query api")
    .option("--roles <roles>", "which of edge,worker,api to run", rolesOption, [...ROLES])
    .option("--setup", "migrate, apply topics and create the bucket first")
    .option("--dry-run", "with --setup: only say what that would do, and start nothing")
    .option("--json", "with --dry-run: print one JSON document (the log is JSON lines anyway)")
    .addHelpText("after", `\nEnvironment (defaults in brackets):\n${settingsHelp()}\n`)
    .action(async (options: { roles: Role[]; setup?: true; dryRun?: true; json?: true }, command: Command) => {
      if (options.dryRun) {
        if (!options.setup) command.error("--dry-run needs --setup: without it serve changes nothing before it starts");
        const { planSetUp, setupPlanText } = await import("./app-setup-plan.ts");
        const plan = await planSetUp(connected());
        print(options.json ? JSON.stringify(plan) : setupPlanText(plan));
        process.exitCode = plan.refused.length > 0 ? 1 : 0;
        return;
      }
      const main = import.meta.filename;
      const { serve } = await import("./app-serve.ts");
      await serve({ config: config(), roles: options.roles, setup: options.setup ?? false, main });
    });

/** Database and log for the commands that look at both. */
const openBoth = async () => {
  const { kafka, topics, clock, openDatabase: open, config: settings } = connected();
  const db = open(2);
  const logInfo = kafka.logInfo();
  return { db, logInfo, topics, clock, isTransient, grace: settings.windowGrace, close: () => db.close() };
};

const importing = (): Command =>
  importCommand({
    run: async (request, onProgress) => {
      const { runImport } = await import("./app-import.ts");
      leanHeap();
      return runImport(connected(), request, onProgress);
    },
    waitFor: async (athlete) => (await import("./app-import.ts")).waitForAthlete(connected(), athlete, WAIT_MS),
    stdout: process.stdout,
    stderr: process.stderr,
    exit: (code) => {
      process.exitCode = code;
    },
  });

const migrating = (): Command =>
  migrateCommand({
    print,
    open: async () => openDatabase({ url: config().databaseUrl, max: 2, statement_timeout_ms: 0 }),
  });

const topicsAsCode = (): Command =>
  topicsCommand({
    declared: () => connected().declared,
    ports: () => {
      const { kafka, registry } = connected();
      return { topics: kafka.topics(), subjects: registry };
    },
    print,
  });

const exit = (code: number): void => {
  process.exitCode = code;
};

const deadLetters = (): Command =>
  deadLettersCommand({
    print,
    stderr: process.stderr,
    exit,
    open: async () => (await import("./app-dead-letters.ts")).openDeadLetters(connected()),
  });

const replaying = (): Command =>
  replayCommand({
    print,
    stderr: process.stderr,
    exit,
    open: async () => (await import("./app-replay.ts")).openReplay(connected()),
  });

const explaining = (): Command =>
  explainCommand({
    print,
    open: async () => {
      const { explain } = await import("./query/explain.ts");
      const { explainSleep } = await import("./query/sleep-explain.ts");
      const db = connected().openDatabase(1);
      return {
        explain: (asked) => explain(db, asked),
        explainSleep: (asked) => explainSleep(db, asked),
        close: () => db.close(),
      };
    },
  });

const recomputing = (): Command =>
  recomputeCommand({
    print,
    progress,
    open: async () => (await import("./app-recompute.ts")).openRecompute(connected()),
    told: () => {
      const ending = new AbortController();
      process.once("SIGINT", () => ending.abort());
      return ending.signal;
    },
  });

const lake = (): Command =>
  lakeCommand({
    print,
    open: async () => {
      const { endpoint, bucket, region } = config().objects;
      return { db: connected().openDatabase(1), endpoint: endpoint ?? null, bucket, region };
    },
  });

const doctoring = (): Command =>
  doctorCommand({
    print,
    open: async () => (await import("./app-doctor.ts")).openDoctor(connected),
    exit: (code) => {
      process.exitCode = code;
    },
  });

const program = new Command("health-sync")
  .description("HealthKit samples in; Parquet, sleep sessions and athlete metrics out")
  .version(VERSION)
  // An option after a subcommand is that one's, also where its parent has one of that name.
  .enablePositionalOptions()
  .showHelpAfterError("(add --help for more)")
  .addCommand(stackCommand())
  .addCommand(serveCommand())
  .addCommand(migrating())
  .addCommand(topicsAsCode())
  .addCommand(
    tokenCommand({ secret: () => config().authSecret, print }).addCommand(
      revokeCommand({ print, open: async () => connected().openDatabase(1) }),
    ),
  )
  .addCommand(importing())
  .addCommand(positionsCommand({ print, open: openBoth }))
  .addCommand(
    exportCommand({ print, progress, open: async () => (await import("./app-leaving.ts")).openExport(connected()) }),
  )
  .addCommand(eraseCommand({ print, open: async () => (await import("./app-leaving.ts")).openErase(connected()) }))
  .addCommand(replaying())
  .addCommand(deadLetters())
  .addCommand(explaining())
  .addCommand(recomputing())
  .addCommand(lake())
  .addCommand(doctoring())
  .addCommand(demoCommand(async (files, options) => (await import("./app-demo.ts")).demo(files, options)))
  .addCommand(benchCommand())
  .addCommand(waitCommand({ print, progress, open: openBoth }));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`health-sync: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
