import { Command } from "commander";
import { carryOut, compare } from "./topics-apply.ts";
import type { TopicPorts } from "./topics-apply.ts";
import type { Change, Declared, Plan } from "./topics.ts";

export type TopicsCommandDeps<Schema> = {
  declared(): readonly Declared<Schema>[];
  /** Called once a run, so that `--help` connects to nothing. */
  ports(): TopicPorts<Schema>;
  /** A line for stdout. */
  print(line: string): void;
};

/** `topics plan` and `topics apply`. The exit code is 0 only if nothing had to be refused. */
export function topicsCommand<Schema extends object>(deps: TopicsCommandDeps<Schema>): Command {
  const command = new Command("topics").description("Kafka topics and Avro subjects, as declared in topics/ and avro/");
  command
    .command("plan")
    .description("show what differs from the declaration, and what apply would refuse")
    .option("--json", "print one JSON document")
    .action(async ({ json = false }: { json?: boolean }) => {
      show(deps, await compare(deps.ports(), deps.declared()), { json, heading: "would " });
    });
  command
    .command("apply")
    .description("make the cluster as declared; refuses what is destructive or incompatible, and then changes nothing")
    .option("--json", "print one JSON document")
    .option("--dry-run", "only show what would be done")
    .action(async ({ json = false, dryRun = false }: { json?: boolean; dryRun?: boolean }) => {
      const ports = deps.ports();
      const plan = await compare(ports, deps.declared());
      if (!dryRun && plan.refusals.length === 0) await carryOut(ports, plan);
      show(deps, plan, { json, heading: dryRun || plan.refusals.length > 0 ? "would " : "" });
    });
  return command;
}

function show<Schema>(
  deps: TopicsCommandDeps<Schema>,
  plan: Plan<Schema>,
  { json, heading }: { json: boolean; heading: string },
): void {
  if (plan.refusals.length > 0) process.exitCode = 1;
  if (json) {
    deps.print(JSON.stringify({ ...plan, applied: heading === "" }, undefined, 1));
    return;
  }
  for (const change of plan.changes) deps.print(heading + sentence(change));
  for (const { of, reason } of plan.refusals) deps.print(`refused: ${of}: ${reason}`);
  if (plan.changes.length + plan.refusals.length === 0) deps.print("everything is as declared");
  else if (plan.refusals.length > 0) deps.print("nothing is changed while something is refused");
}

/** What a change does, to be read after "would". */
export function sentence<Schema>(change: Change<Schema>): string {
  if (change.kind === "create_topic") {
    const { topic, partitions, replicas, config } = change;
    return `create ${topic} with ${partitions} topic partitions, replication factor ${replicas}, ${settings(config)}`;
  }
  if (change.kind === "configure_topic") {
    const differences = change.differences.map(({ name, from, to }) => `${name} ${from ?? "unset"} → ${to}`);
    return `set on ${change.topic} ${differences.join(", ")}`;
  }
  return change.kind === "set_compatibility"
    ? `set compatibility of ${change.subject} ${change.from ?? "unset"} → ${change.to}`
    : `register version ${change.version} of ${change.subject}`;
}

const settings = (config: Record<string, string>): string =>
  Object.entries(config)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
