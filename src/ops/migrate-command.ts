import { Command } from "commander";
import type { Database } from "../flow/ports.ts";
import { grantRuntime } from "./grants.ts";
import { migrate } from "./migrate.ts";
import { dumpSchema } from "./schema-dump.ts";

type Options = { dryRun?: true; dump?: true; grant?: string; json?: true };
type Deps = {
  print: (line: string) => void;
  /** With no statement timeout: a migration may take long. */
  open: () => Promise<Database>;
};

const run = async (db: Database, deps: Deps, options: Options): Promise<void> => {
  if (options.dump) {
    deps.print((await db.snapshot(dumpSchema)).trimEnd());
    return;
  }
  const dryRun = options.dryRun ?? false;
  const result = await migrate(db, { dryRun, ...(options.json ? {} : { progress: deps.print }) });
  const granted = options.grant !== undefined && !dryRun ? options.grant : null;
  if (granted !== null) await grantRuntime(db, granted);
  if (options.json) {
    deps.print(JSON.stringify({ ...result, granted, dry_run: dryRun }));
    return;
  }
  for (const each of result.ahead) deps.print(`${each} is newer than this build`);
  if (dryRun) for (const each of result.applied) deps.print(`would apply ${each}`);
  if (options.grant !== undefined) {
    deps.print(`${dryRun ? "would let" : "let"} ${options.grant} read and write rows; it cannot change the schema`);
  }
  if (result.applied.length === 0) deps.print(`nothing to apply: the schema is at ${result.version}`);
};

/** `health-sync migrate`: the schema, forward only. */
export const migrateCommand = (deps: Deps): Command =>
  new Command("migrate")
    .description("bring the database's schema up to date, forward only")
    .option("--dry-run", "only say what would be applied")
    .option("--dump", "print the schema as it stands, as migrations/schema.sql keeps it; changes nothing")
    .option("--grant <role>", "let this role do what serve does: read and write rows, without changing the schema")
    .option("--json", "print JSON")
    .action(async (options: Options) => {
      const db = await deps.open();
      try {
        await run(db, deps, options);
      } finally {
        await db.close();
      }
    });
