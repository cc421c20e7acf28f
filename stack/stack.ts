import { createHash } from "node:crypto";
import { rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fetchArtifacts } from "./artifacts.ts";
import { composeControl, type DockerWish, whyNotDocker } from "./docker.ts";
import { environmentOf, newSecret, type StackEnvironment } from "./environment.ts";
import { foreignStack, useForeign } from "./foreign.ts";
import { artifactsDir, stackDir } from "./layout.ts";
import type { Say } from "./part.ts";
import { startAll, stopAll } from "./parts.ts";
import { isFree, pickPorts, USUAL_PORTS } from "./ports.ts";
import { placeForPostgres } from "./postgres.ts";
import { ANSWERS, untilRight, WORKS } from "./probe.ts";
import { identify, isRunning } from "./process.ts";
import {
  findStack,
  forgetState,
  type PartName,
  PARTS,
  readState,
  type StackState,
  withLock,
  writeState,
} from "./state.ts";

export const DEFAULT_NAME = "dev";

export type UpOptions = {
  /** Undefined: the stack that the environment names, else the default one. */
  name?: string | undefined;
  /** Where a new stack keeps its data; the cache directory when undefined. */
  dataDir?: string | undefined;
  docker?: DockerWish | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  say: Say;
};

/**
 * Brings a stack up, or finds it up, and answers how to reach it once every part works.
 * @throws naming what is missing or does not answer, with the end of its log.
 */
export async function up(options: UpOptions): Promise<StackEnvironment> {
  const { say, env = process.env } = options;
  if (options.name === undefined) {
    const foreign = foreignStack(env);
    if (foreign !== undefined) return useForeign(foreign, say);
  }
  const name = options.name ?? findStack(env)?.name ?? DEFAULT_NAME;
  return withLock(name, identify(process.pid), async () => {
    const known = readState(name);
    if (known !== undefined && (await answersAsItIs(known, options.docker))) return environmentOf(known);
    const mode = known?.mode ?? (await chooseMode(options.docker ?? "auto", say));
    if (known !== undefined) insistOn(known, options);
    if (mode === "docker") return upInDocker(known ?? (await newState(name, options, mode)), say);
    const artifacts = await fetchArtifacts(artifactsDir(env), say);
    const state = known === undefined ? await newState(name, options, mode) : await movedToFreePorts(known);
    writeState(state);
    try {
      await startAll(state, artifacts, say);
    } catch (error) {
      await stopAll(readState(name) ?? state, true);
      throw error;
    }
    return environmentOf(state);
  });
}

async function answersAsItIs(state: StackState, docker: DockerWish | undefined): Promise<boolean> {
  if (docker === "force" && state.mode === "local") return false;
  if (docker === "never" && state.mode === "docker") return false;
  if (state.mode === "local" && !PARTS.every((part) => isRunning(state.processes[part] ?? { pid: 0, born: "" })))
    return false;
  const asked = await Promise.allSettled(PARTS.map((part) => ANSWERS[part](environmentOf(state))));
  return asked.every(({ status }) => status === "fulfilled");
}

function insistOn(state: StackState, { docker, dataDir }: UpOptions): void {
  const down = `run \`health-sync stack down --name ${state.name}\` first`;
  if (docker === "force" && state.mode === "local")
    throw new Error(`stack ${state.name} exists without Docker: ${down}`);
  if (docker === "never" && state.mode === "docker") throw new Error(`stack ${state.name} exists in Docker: ${down}`);
  if (dataDir !== undefined && resolve(dataDir) !== state.dataDir) {
    throw new Error(`stack ${state.name} keeps its data in ${state.dataDir}: ${down}`);
  }
}

async function chooseMode(wish: DockerWish, say: Say): Promise<StackState["mode"]> {
  if (wish === "never") return "local";
  const why = await whyNotDocker(say);
  if (why === undefined) return "docker";
  if (wish === "force")
    throw new Error(`--docker: ${why}. Start Docker or leave --docker out for the stack without containers`);
  say(`starting Kafka, registry, Postgres and S3 without containers: ${why}`);
  return "local";
}

/** A stack that has not been started: ports picked, secret made, nothing written yet. */
export async function newState(
  name: string,
  options: Pick<UpOptions, "dataDir">,
  mode: StackState["mode"],
): Promise<StackState> {
  const dataDir = resolve(options.dataDir ?? join(stackDir(name), "data"));
  const key = createHash("sha256").update(dataDir).digest("hex").slice(0, 12);
  return {
    name,
    mode,
    dataDir,
    postgresDir: placeForPostgres(join(dataDir, "postgres"), join(tmpdir(), `health-sync-postgres-${key}`)),
    ports: await pickPorts(USUAL_PORTS),
    secret: newSecret(),
    processes: {},
  };
}

/** The same stack on its own ports, or on others where somebody took one of those of a part that is down. */
async function movedToFreePorts(state: StackState): Promise<StackState> {
  const runs = (part: PartName): boolean => isRunning(state.processes[part] ?? { pid: 0, born: "" });
  const idle = PARTS.filter((part) => !runs(part)).map((part) => state.ports[part]);
  if (!runs("kafka")) idle.push(state.ports.controller);
  const free = await Promise.all(idle.map(isFree));
  if (free.every(Boolean)) return state;
  // A part that runs may know the address of the one that moves.
  await stopAll(state, true);
  return { ...state, ports: await pickPorts(state.ports), processes: {} };
}

async function upInDocker(state: StackState, say: Say): Promise<StackEnvironment> {
  writeState(state);
  await composeControl(state, ["up", "--detach", "--wait", "--pull", "never"]);
  const env = environmentOf(state);
  await Promise.all(
    PARTS.map((part) =>
      untilRight(
        () => WORKS[part](env),
        () => undefined,
        120,
      ),
    ),
  );
  say("every part works, in Docker");
  return env;
}

/** Stops the stack and, unless told to keep it, removes everything that `up` made except fetched artifacts. */
export async function down(name: string, keepData: boolean, say: Say): Promise<void> {
  if (readState(name) === undefined) {
    forgetState(name);
    say(`stack ${name} is not there`);
    return;
  }
  await withLock(name, identify(process.pid), async () => {
    const state = readState(name);
    if (state === undefined) return;
    if (state.mode === "docker")
      await composeControl(state, keepData ? ["stop"] : ["down", "--volumes", "--remove-orphans"]);
    else await stopAll(state, keepData);
    if (keepData) writeState({ ...state, processes: {} });
    else removeData(state);
    say(`stack ${name} is down${keepData ? `; its data stays in ${state.dataDir}` : ""}`);
  });
}

function removeData(state: StackState): void {
  for (const part of [...PARTS, "logs"]) rmSync(join(state.dataDir, part), { recursive: true, force: true });
  rmSync(state.postgresDir, { recursive: true, force: true });
  try {
    rmdirSync(state.dataDir);
  } catch {
    // The person's own directory may hold more than ours.
  }
  forgetState(state.name);
}
