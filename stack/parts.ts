import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Artifacts, fetchArtifacts } from "./artifacts.ts";
import { composeControl } from "./docker.ts";
import { environmentOf } from "./environment.ts";
import { kafka } from "./kafka.ts";
import { artifactsDir } from "./layout.ts";
import { objects } from "./objects.ts";
import type { Part, Say } from "./part.ts";
import { postgres } from "./postgres.ts";
import { ANSWERS, untilRight, WORKS } from "./probe.ts";
import { end, identify, isRunning, launch, type ProcessId } from "./process.ts";
import { registry } from "./registry.ts";
import { findStack, noteProcess, PARTS, type PartName, readState, type StackState, withLock } from "./state.ts";

/** Long enough for a loaded machine: waiting ends early when the process dies. */
const PATIENCE_SECONDS = 180;

export function partsOf(state: StackState, artifacts: Artifacts): Record<PartName, Part> {
  const input = { state, artifacts, logDir: join(state.dataDir, "logs") };
  mkdirSync(input.logDir, { recursive: true });
  return { kafka: kafka(input), registry: registry(input), postgres: postgres(input), objects: objects(input) };
}

/** Starts in parallel what does not run; returns when every part works. Processes are noted as they start. */
export async function startAll(state: StackState, artifacts: Artifacts, say: Say): Promise<void> {
  const parts = partsOf(state, artifacts);
  const ready = new Map<PartName, Promise<void>>();
  const start = async (part: Part): Promise<void> => {
    for (const name of part.after) await ready.get(name);
    const started = Date.now();
    await startOne(state, part, WORKS[part.name]);
    say(`${part.name} ${part.version} works (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  };
  const inOrder = PARTS.map((name) => parts[name]).toSorted((a, b) => a.after.length - b.after.length);
  for (const part of inOrder) ready.set(part.name, start(part));
  const results = await Promise.allSettled(ready.values());
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

async function startOne(state: StackState, part: Part, probe: (typeof WORKS)[PartName]): Promise<void> {
  const running = readState(state.name)?.processes[part.name];
  if (running === undefined || !isRunning(running)) {
    await part.prepare();
    noteProcess(state.name, part.name, launch(part.launch()));
  }
  const id = readState(state.name)?.processes[part.name];
  const alive = (): void => {
    if (id === undefined || !isRunning(id))
      throw new Error(`${part.name} ended while starting:\n${logTail(state, part.name)}`);
  };
  const env = environmentOf(state);
  try {
    await untilRight(() => ANSWERS[part.name](env), alive, PATIENCE_SECONDS);
    await untilRight(() => probe(env), alive, PATIENCE_SECONDS);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${part.name} does not answer: ${why}`, { cause: error });
  }
}

function logTail(state: StackState, part: PartName): string {
  const file = join(state.dataDir, "logs", `${part}.log`);
  try {
    return `${file}:\n${readFileSync(file, "utf8").trimEnd().split("\n").slice(-15).join("\n")}`;
  } catch {
    return `${file} is empty`;
  }
}

/** Stops every process of the stack, each in its own order (`clean`) or at once. */
export async function stopAll(state: StackState, clean: boolean): Promise<void> {
  const ids = state.processes;
  const one = async (name: PartName): Promise<void> => {
    const id = ids[name];
    if (id !== undefined) await end(id, clean ? STOP_SIGNALS[name] : "SIGKILL");
  };
  // The registry goes first, so that it does not see its database go.
  if (clean) await one("registry");
  await Promise.all(PARTS.map(one));
}

/** What makes each end in order, and fast. */
const STOP_SIGNALS: Record<PartName, NodeJS.Signals> = {
  kafka: "SIGTERM",
  registry: "SIGTERM",
  postgres: "SIGINT",
  objects: "SIGTERM",
};

/** Ends one part in order and returns when it is gone. `env` (process.env) names the stack by KAFKA_BROKERS. */
export async function stopPart(part: PartName, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  await control(env, async (state) => {
    if (state.mode === "docker") return composeControl(state, ["stop", part]);
    await endPart(state, part, STOP_SIGNALS[part]);
  });
}

/** Ends one part with SIGKILL: nothing is flushed, no client is told. */
export async function killPart(part: PartName, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  await control(env, async (state) => {
    if (state.mode === "docker") return composeControl(state, ["kill", part]);
    await endPart(state, part, "SIGKILL");
  });
}

/** Starts one part on its data and port again and returns when it answers. */
export async function startPart(part: PartName, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  await control(env, async (state) => {
    if (state.mode === "docker") {
      await composeControl(state, ["start", part]);
      await untilRight(
        () => ANSWERS[part](environmentOf(state)),
        () => undefined,
        PATIENCE_SECONDS,
      );
      return;
    }
    const artifacts = await fetchArtifacts(artifactsDir(), () => undefined);
    await startOne(state, partsOf(state, artifacts)[part], ANSWERS[part]);
  });
}

async function endPart(state: StackState, part: PartName, signal: NodeJS.Signals): Promise<void> {
  const id: ProcessId | undefined = state.processes[part];
  if (id !== undefined) await end(id, signal);
  noteProcess(state.name, part, undefined);
}

async function control(env: NodeJS.ProcessEnv, work: (state: StackState) => Promise<void>): Promise<void> {
  const found = findStack(env);
  if (found === undefined) {
    throw new Error(`KAFKA_BROKERS=${env["KAFKA_BROKERS"] ?? ""} names no stack that this checkout has started`);
  }
  await withLock(found.name, identify(process.pid), async () => {
    const state = readState(found.name);
    if (state === undefined) throw new Error(`stack ${found.name} was taken down meanwhile`);
    await work(state);
  });
}
