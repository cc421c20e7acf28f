import { Command } from "commander";

type Common = { name?: string; json?: true };
type UpFlags = Common & { dataDir?: string; docker?: boolean };
type DownFlags = Common & { keepData?: true; dryRun?: true };

const NAME = [
  "--name <name>",
  "a stack of that name, beside others (default: the one that the environment names, else dev)",
] as const;

const CACHE_HELP = `
Artifacts are fetched once and kept in .cache/artifacts of the checkout, or below HEALTH_SYNC_CACHE when that names a
directory (several checkouts then share them). Needed: Java 17 or newer; for the first start also Maven and Go 1.25 or
newer. Where a Docker engine runs and has or can pull the images of docker-compose.yml, that is used instead.
When KAFKA_BROKERS, SCHEMA_REGISTRY_URL, DATABASE_URL and S3_ENDPOINT are all set, that stack is used as it is.`;

/** `health-sync stack up|down|status`. The code in stack/ is loaded only when one of them runs. */
export const stackCommand = (): Command => {
  const command = new Command("stack").description("the local Kafka, schema registry, Postgres and S3");
  command
    .command("up")
    .description("bring the stack up, wait until every part works, print KEY=VALUE lines for serve and token")
    .option(...NAME)
    .option("--data-dir <directory>", "where a new stack keeps its data (default: .cache/stack/NAME/data)")
    .option("--docker", "use Docker or fail")
    .option("--no-docker", "do not use Docker")
    .option("--json", "print one JSON object in place of the lines")
    .addHelpText("after", CACHE_HELP)
    .action(up);
  command
    .command("down")
    .description("stop the stack and remove its data and every trace but the fetched artifacts")
    .option(...NAME)
    .option("--keep-data", "keep the data; the next up continues on it")
    .option("--dry-run", "only say what would be stopped and removed")
    .option("--json", "print what was done as JSON")
    .action(down);
  command
    .command("status")
    .description("say what each part answers; exit code 0 only if all do")
    .option(...NAME)
    .option("--json", "print it as JSON")
    .action(status);
  return command;
};

async function up({ name, dataDir, docker, json }: UpFlags): Promise<void> {
  const { up } = await import("../../stack/stack.ts");
  const { environmentLines } = await import("../../stack/environment.ts");
  const wish = docker === undefined ? "auto" : docker ? "force" : "never";
  const environment = await up({ name, dataDir, docker: wish, say });
  process.stdout.write(json ? `${JSON.stringify(environment, null, 2)}\n` : environmentLines(environment));
}

async function down({ name, keepData, dryRun, json }: DownFlags): Promise<void> {
  const { down, DEFAULT_NAME } = await import("../../stack/stack.ts");
  const { findStack, readState } = await import("../../stack/state.ts");
  const stack = name ?? findStack(process.env)?.name ?? DEFAULT_NAME;
  const known = readState(stack);
  const removed = keepData === true || known === undefined ? [] : [known.dataDir];
  const stopped = Object.entries(known?.processes ?? {}).map(([part, { pid }]) => ({ part, pid }));
  if (dryRun) {
    for (const { part, pid } of stopped) say(`would stop ${part} (pid ${pid})`);
    for (const directory of removed) say(`would remove ${directory}`);
    if (known === undefined) say(`stack ${stack} is not there`);
  } else await down(stack, keepData === true, say);
  if (json) process.stdout.write(`${JSON.stringify({ stack, dry_run: dryRun === true, stopped, removed }, null, 2)}\n`);
}

async function status({ name, json }: Common): Promise<void> {
  const { allUp, status, statusLines } = await import("../../stack/status.ts");
  const found = await status(name);
  process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : `${statusLines(found).join("\n")}\n`);
  if (!allUp(found)) process.exitCode = 1;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
