import { Command, InvalidArgumentError } from "commander";
import type { Database, LogInfo } from "../flow/ports.ts";
import type { TopicNames } from "../flow/topics.ts";
import {
  applySet,
  planSet,
  showPositions,
  type PositionChange,
  type SetRequest,
  type ShownPosition,
  type Target,
} from "./positions.ts";

const INPUTS = ["samples", "sleep", "backfill", "batches", "deadletter"] as const;

type PositionsDeps = { db: Database; logInfo: LogInfo; topics: TopicNames; close(): Promise<void> };

/** Columns as wide as their longest cell. */
const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
};

const text = (value: number | string | null): string => (value === null ? "-" : String(value));

const stateOf = (row: ShownPosition): string => {
  if (row.low === null || row.high === null) return "no such topic partition in the log";
  if (row.position === null) return "not started";
  if (row.position < row.low) return "behind the log's start: refused";
  if (row.position > row.high) return "beyond the log's end: refused";
  if (row.crashed_offset !== null) return `gave up offset ${row.crashed_offset} as crashed`;
  return row.fingerprint === null ? "last record not known" : "last record known";
};

export const positionsTable = (rows: readonly ShownPosition[]): string[] =>
  table([
    ["group", "topic", "part", "position", "low", "high", "lag", "last record at", "epoch", "state"],
    ...rows.map((row) => [
      row.group_id,
      row.topic,
      String(row.topic_partition),
      text(row.position),
      text(row.low),
      text(row.high),
      text(row.lag),
      row.last_timestamp === null ? "-" : new Date(row.last_timestamp).toISOString(),
      String(row.epoch),
      stateOf(row),
    ]),
  ]);

const effectOf = (change: PositionChange): string => {
  const parts: string[] = [];
  if (change.gone > 0) parts.push(`${change.gone} records are no longer in the log and were never applied`);
  if (change.lost > 0) parts.push(`${change.lost} records will never be applied (until a replay)`);
  if (change.repeated > 0) parts.push(`${change.repeated} records will be applied again (no effect on what is stored)`);
  return parts.length === 0 ? "nothing lost, nothing repeated" : parts.join("; ");
};

export const changesTable = (changes: readonly PositionChange[]): string[] =>
  table([
    ["topic", "part", "from", "to", "effect"],
    ...changes.map((c) => [c.topic, String(c.topic_partition), text(c.from), String(c.to), effectOf(c)]),
  ]);

const targetOption = (value: string): Target => {
  if (value === "earliest" || value === "latest") return value;
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError("earliest, latest or an offset");
  return Number(value);
};

const partitionOption = (value: string): number => {
  if (!/^\d{1,5}$/.test(value)) throw new InvalidArgumentError("a topic partition number, from 0");
  return Number(value);
};

type SetOptions = {
  group: string;
  topic?: string;
  partition?: number;
  to: Target;
  dryRun?: true;
  yes?: true;
  json?: true;
};
type Deps = { print: (line: string) => void; open: () => Promise<PositionsDeps> };

const runSet = async (deps: Deps, opened: PositionsDeps, options: SetOptions): Promise<void> => {
  if (typeof options.to === "number" && (options.topic === undefined || options.partition === undefined)) {
    throw new Error(
      "an offset is meant for one topic partition: give --topic and --partition, or --to earliest|latest",
    );
  }
  if (options.partition !== undefined && options.topic === undefined) throw new Error("--partition needs --topic");
  const request: SetRequest = {
    group: options.group,
    topics: options.topic === undefined ? INPUTS.map(opened.topics) : [options.topic],
    topicPartition: options.partition ?? null,
    target: options.to,
  };
  const changes = await planSet(opened, request);
  if (!options.json) for (const line of changesTable(changes)) deps.print(line);
  const apply = options.dryRun === undefined && options.yes !== undefined;
  if (apply) {
    const clusterId = await opened.logInfo.clusterId();
    await opened.db.transaction((tx) => applySet(tx, options.group, clusterId, changes));
  }
  if (options.json) deps.print(JSON.stringify({ applied: apply, changes }));
  if (options.dryRun === undefined && options.yes === undefined) {
    throw new Error("nothing was changed: add --yes to store these positions, or --dry-run to only look");
  }
  if (apply && !options.json) deps.print("stored; restart the worker if it had refused to start");
};

/** `health-sync positions show|set`: where each group is, and the way out of a refusal to start. */
export const positionsCommand = (deps: Deps): Command => {
  const withDeps = async (work: (opened: PositionsDeps) => Promise<void>): Promise<void> => {
    const opened = await deps.open();
    try {
      await work(opened);
    } finally {
      await opened.close();
    }
  };
  const show = new Command("show")
    .description("stored positions beside their logs")
    .option("--group <group>", "one group only")
    .option("--json", "print JSON")
    .action(async (options: { group?: string; json?: true }) =>
      withDeps(async (opened) => {
        const rows = await showPositions(opened, options.group ?? null);
        for (const line of options.json ? [JSON.stringify({ positions: rows })] : positionsTable(rows))
          deps.print(line);
      }),
    );
  const set = new Command("set")
    .description("move stored positions; says first what that loses or repeats")
    .requiredOption("--to <where>", "earliest, latest or an offset", targetOption)
    .option("--group <group>", "the group", "staging")
    .option("--topic <topic>", "one topic instead of all that staging reads")
    .option("--partition <number>", "one topic partition of it", partitionOption)
    .option("--dry-run", "only say what would happen")
    .option("--yes", "do it")
    .option("--json", "print JSON")
    .action(async (options: SetOptions) => withDeps((opened) => runSet(deps, opened, options)));
  return new Command("positions").description("show or move stored positions").addCommand(show).addCommand(set);
};
