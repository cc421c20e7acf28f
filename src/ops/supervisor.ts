import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Clock, Telemetry } from "../flow/ports.ts";
import { watchChild } from "./hung-child.ts";
import { CHILD_FLAG, type ChildMessage, type ParentMessage } from "./supervisor-child.ts";
import { nextState, workerHealth, type SupervisorEvent, type SupervisorState } from "./supervisor-state.ts";

export type SupervisorOptions = {
  clock: Clock;
  telemetry: Telemetry;
  /** What it is called in logs, figures and at /readyz. */
  name: string;
  /** The child's program and arguments, run by this Node: `[main.ts, "serve", "--roles", "worker"]`. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Told to the child by CHILD_FLAG. */
  flag: string;
  /** How long a child may drain after SIGTERM before it is killed. */
  drainMs?: number;
  /** How often it is asked whether it still answers. */
  askEveryMs?: number;
  /** Where the child's stderr lines go. */
  stderr?: (line: string) => void;
};

export type Supervisor = {
  name: string;
  state(): SupervisorState;
  health(): { ok: boolean; why: string | null };
  /** The child's figures for /metrics; null when it does not answer. */
  figures(timeoutMs?: number): Promise<unknown[] | null>;
  /** SIGTERM, wait for the drain, SIGKILL after `drainMs`. Resolves with the child's exit code. */
  stop(): Promise<number>;
};

const DRAIN_MS = 25_000;
const FIGURES_MS = 1000;

type Exit = { code: number | null; signal: NodeJS.Signals | null };
type Running = {
  child: ChildProcess;
  exited: Promise<Exit>;
  figures(timeoutMs: number): Promise<unknown[] | null>;
};

const startChild = (options: SupervisorOptions, tell: (event: SupervisorEvent) => void): Running => {
  const child = spawn(process.execPath, [...process.execArgv, ...options.argv], {
    env: { ...options.env, [CHILD_FLAG]: options.flag },
    stdio: ["ignore", "inherit", "pipe", "ipc"],
    // A group of its own: Ctrl-C in a terminal reaches the parent only, which then drains its child in order.
    detached: true,
  });
  const print = options.stderr ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const lines = child.stderr ? createInterface({ input: child.stderr }) : null;
  const ended = new Promise<void>((resolve) => lines?.once("close", resolve) ?? resolve());
  let lastLine: string | null = null;
  let noted = false;
  lines?.on("line", (line) => {
    lastLine = line.trim() === "" ? lastLine : line;
    print(line);
  });
  const waiting = new Map<number, (figures: unknown[] | null) => void>();
  let asked = 0;
  child.on("message", (message: ChildMessage) => {
    if (message.kind === "ready") tell({ kind: "ready" });
    if (message.kind === "note") {
      noted = true;
      tell({ kind: "note", text: message.text });
    }
    if (message.kind === "figures") waiting.get(message.id)?.(message.figures);
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once("error", (error) => {
      tell({ kind: "note", text: error.message });
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
    // Its last line may still be in the pipe when it exits; without a note that line says why.
    child.once("exit", (code, signal) => void ended.then(() => resolve({ code, signal })));
  }).then((exit) => {
    if (!noted && lastLine !== null) tell({ kind: "note", text: lastLine.slice(0, 500) });
    return exit;
  });
  const figures = async (timeoutMs: number): Promise<unknown[] | null> => {
    if (!child.connected) return null;
    const id = (asked += 1);
    const answer = await new Promise<unknown[] | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), timeoutMs);
      waiting.set(id, (got) => {
        clearTimeout(timer);
        resolve(got);
      });
      child.send({ kind: "figures", id } satisfies ParentMessage, (error) => error && resolve(null));
    });
    waiting.delete(id);
    return answer;
  };
  return { child, exited, figures };
};

/** A child that does not answer for long is killed, and then treated like any that ended. */
const startWatched = (options: SupervisorOptions, tell: (event: SupervisorEvent) => void): Running => {
  const running = startChild(options, tell);
  const hung = (): void => {
    options.telemetry.warn("worker.hung", { part: options.name });
    running.child.kill("SIGKILL");
  };
  const unwatch = watchChild((timeoutMs) => running.figures(timeoutMs), hung, options.askEveryMs);
  void running.exited.then(unwatch);
  return running;
};

/** Keeps one child alive; edge and api of this process are not touched by how it fares. */
export const supervise = (options: SupervisorOptions): Supervisor => {
  const part = options.name;
  let state: SupervisorState = { kind: "idle" };
  let running: Running | null = null;
  let timer: NodeJS.Timeout | null = null;
  const tell = (event: SupervisorEvent): void => {
    state = nextState(state, event, options.clock.now());
  };
  const onExit = (exit: Exit): void => {
    running = null;
    tell({ kind: "exited", ...exit });
    if (state.kind === "refused") {
      options.telemetry.warn("worker.refused", { part, text: state.why });
      options.telemetry.gauge("refused", { part }, 1);
    }
    if (state.kind !== "waiting") return;
    const wait = Math.max(0, state.until - options.clock.now());
    options.telemetry.warn("worker.restarting", {
      part,
      reason: state.why,
      attempt: state.failures,
      retry_in_ms: wait,
    });
    options.telemetry.count("restarts", { part });
    timer = setTimeout(start, wait);
  };
  const start = (): void => {
    tell({ kind: "started" });
    if (state.kind !== "running") return;
    running = startWatched(options, tell);
    void running.exited.then(onExit);
    options.telemetry.info("worker.started", { part, child_pid: running.child.pid ?? null });
  };
  const stop = async (): Promise<number> => {
    if (timer) clearTimeout(timer);
    tell({ kind: "stop" });
    const current = running;
    if (!current) return 0;
    current.child.kill("SIGTERM");
    const kill = setTimeout(() => current.child.kill("SIGKILL"), options.drainMs ?? DRAIN_MS);
    const exit = await current.exited;
    clearTimeout(kill);
    return exit.code ?? 1;
  };
  start();
  return {
    name: part,
    state: () => state,
    health: () => workerHealth(state),
    figures: async (timeoutMs = FIGURES_MS) => (await running?.figures(timeoutMs)) ?? null,
    stop,
  };
};
