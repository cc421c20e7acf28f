import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackDir, stacksDir } from "./layout.ts";
import { codeOf, isRunning, type ProcessId } from "./process.ts";

/** The four parts of a stack, in the order in which they are listed. */
export const PARTS = ["kafka", "registry", "postgres", "objects"] as const;
export type PartName = (typeof PARTS)[number];

export type Ports = Record<PartName | "controller", number>;

/** What is known of one stack between commands; `processes` lists only what this code started. */
export type StackState = {
  name: string;
  mode: "local" | "docker";
  /** Absolute; holds a directory a part. */
  dataDir: string;
  /** Absolute; elsewhere when the unprivileged user of Postgres cannot reach `dataDir`. */
  postgresDir: string;
  ports: Ports;
  /** AUTH_SECRET, generated once a stack. */
  secret: string;
  processes: Partial<Record<PartName, ProcessId>>;
};

const stateFile = (name: string): string => join(stackDir(name), "state.json");

export function readState(name: string): StackState | undefined {
  let text: string;
  try {
    text = readFileSync(stateFile(name), "utf8");
  } catch {
    return undefined;
  }
  try {
    const state: StackState = JSON.parse(text);
    return state;
  } catch {
    throw new Error(`${stateFile(name)} is not JSON: stop what still runs, remove that directory, then \`stack up\``);
  }
}

/** Replaces the file in one step, so that a reader never sees half of it. */
export function writeState(state: StackState): void {
  const file = stateFile(state.name);
  mkdirSync(stackDir(state.name), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.${process.pid}`, file);
}

export function forgetState(name: string): void {
  rmSync(stackDir(name), { recursive: true, force: true });
}

/** Changes the file under the latest content: parts start in parallel and each notes its own process. */
export function noteProcess(name: string, part: PartName, id: ProcessId | undefined): void {
  const state = readState(name);
  if (state === undefined) throw new Error(`stack ${name} is gone: another command took it down`);
  if (id === undefined) delete state.processes[part];
  else state.processes[part] = id;
  writeState(state);
}

/** The stack of this checkout that `KAFKA_BROKERS` of `env` belongs to, if any. */
export function findStack(env: NodeJS.ProcessEnv): StackState | undefined {
  let names: string[];
  try {
    names = readdirSync(stacksDir());
  } catch {
    return undefined;
  }
  const states = names.map((name) => readState(name)).filter((state) => state !== undefined);
  const named = states.filter((state) => env["KAFKA_BROKERS"] === `127.0.0.1:${state.ports.kafka}`);
  // A stack on kept data may have had the same port before.
  return named.find(someRuns) ?? named[0];
}

export function someRuns(state: StackState): boolean {
  return state.mode === "docker" || Object.values(state.processes).some((id) => isRunning(id));
}

/** Runs `work` while no other command works on the same stack; a lock whose holder died is taken over. */
export async function withLock<T>(name: string, self: ProcessId, work: () => Promise<T>): Promise<T> {
  const lock = join(stackDir(name), "lock.json");
  const deadline = Date.now() + 15 * 60_000;
  mkdirSync(stackDir(name), { recursive: true });
  while (!tryLock(lock, self)) {
    if (Date.now() > deadline) throw new Error(`another command has worked on stack ${name} for 15 minutes: ${lock}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
    removeIfEmpty(stackDir(name));
    removeIfEmpty(stacksDir());
  }
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Something is in it, or it is gone already.
  }
}

function tryLock(lock: string, self: ProcessId): boolean {
  try {
    mkdirSync(join(lock, ".."), { recursive: true });
    writeFileSync(lock, JSON.stringify(self), { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  try {
    const text = readFileSync(lock, "utf8");
    // An empty file is a holder between creating and writing.
    if (text === "") return false;
    const holder: ProcessId = JSON.parse(text);
    if (!isRunning(holder)) rmSync(lock, { force: true });
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  return false;
}
