import { KAFKA_VERSION, OBJECTS_VERSION, POSTGRES_VERSION, REGISTRY_VERSION } from "./artifacts.ts";
import { environmentOf, type StackEnvironment } from "./environment.ts";
import { ANSWERS, FOREIGN } from "./probe.ts";
import { isRunning } from "./process.ts";
import { findStack, PARTS, type PartName, readState, type StackState } from "./state.ts";
import { foreignStack } from "./foreign.ts";
import { DEFAULT_NAME } from "./stack.ts";

export type PartStatus = {
  part: PartName;
  /** It answered just now. */
  up: boolean;
  /** Null for a part that this checkout did not start. */
  version: string | null;
  port: number | null;
  /** Null in Docker, elsewhere, and for a process that is gone. */
  pid: number | null;
  /** Why it is not up; null when it is. */
  problem: string | null;
};

/** `stack` is null when the environment names one that this checkout did not start; `parts` is empty when there is none. */
export type StackStatus = {
  stack: string | null;
  mode: "local" | "docker" | "environment" | "none";
  parts: PartStatus[];
};

const VERSIONS: Record<PartName, string> = {
  kafka: KAFKA_VERSION,
  registry: REGISTRY_VERSION,
  postgres: POSTGRES_VERSION,
  objects: OBJECTS_VERSION,
};

/** What each part of a stack answers now; without a name the one that `env` names, else the default one. */
export async function status(name: string | undefined, env: NodeJS.ProcessEnv = process.env): Promise<StackStatus> {
  const foreign = name === undefined ? foreignStack(env) : undefined;
  if (foreign !== undefined) {
    const asked = PARTS.map((part) => ask(part, () => FOREIGN[part](foreign), portOf(part, foreign)));
    return { stack: null, mode: "environment", parts: await Promise.all(asked) };
  }
  const stack = name ?? findStack(env)?.name ?? DEFAULT_NAME;
  const state = readState(stack);
  if (state === undefined) return { stack, mode: "none", parts: [] };
  const asked = PARTS.map((part) => statusOf(part, state));
  return { stack, mode: state.mode, parts: await Promise.all(asked) };
}

async function statusOf(part: PartName, state: StackState): Promise<PartStatus> {
  const id = state.processes[part];
  const running = id !== undefined && isRunning(id);
  const found = { version: VERSIONS[part], pid: running ? id.pid : null };
  if (state.mode === "local" && !running) {
    const problem = id === undefined ? "not started" : "its process is gone";
    return { part, up: false, port: state.ports[part], problem, ...found };
  }
  return { ...(await ask(part, () => ANSWERS[part](environmentOf(state)), state.ports[part])), ...found };
}

export const allUp = ({ parts }: StackStatus): boolean => parts.length > 0 && parts.every((part) => part.up);

/** A line a part, for a person. */
export function statusLines({ stack, mode, parts }: StackStatus): string[] {
  if (mode === "none") return [`stack ${stack} is not there: health-sync stack up`];
  const rows = parts.map((row) => [
    row.part,
    row.up ? "up" : "down",
    row.port === null ? "-" : String(row.port),
    row.version ?? "-",
    row.pid === null ? "-" : String(row.pid),
    row.problem ?? "",
  ]);
  const table = [["part", "state", "port", "version", "pid", ""], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

async function ask(part: PartName, probe: () => Promise<void>, port: number | null): Promise<PartStatus> {
  const found = { part, version: null, port, pid: null };
  try {
    await probe();
    return { ...found, up: true, problem: null };
  } catch (error) {
    return { ...found, up: false, problem: `does not answer: ${reason(error)}` };
  }
}

/** One line; connection errors of Node keep their text in `code` or in a list. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.message || (error as NodeJS.ErrnoException).code || error.name;
  const cause = error.cause instanceof Error ? ` (${error.cause.message || error.cause.name})` : "";
  return `${text}${cause}`.replaceAll(/\s+/g, " ").slice(0, 200);
}

function portOf(part: PartName, env: StackEnvironment): number | null {
  const address = {
    kafka: `kafka://${env.KAFKA_BROKERS.split(",")[0]}`,
    registry: env.SCHEMA_REGISTRY_URL,
    postgres: env.DATABASE_URL,
    objects: env.S3_ENDPOINT,
  }[part];
  const port = URL.canParse(address) ? new URL(address).port : "";
  return port === "" ? null : Number(port);
}
