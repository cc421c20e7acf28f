import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CHILD_FLAG } from "../../../src/ops/supervisor-child.ts";

export const MAIN = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));

export type Env = Record<string, string | undefined>;
export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type ServiceProcess = {
  pid: number;
  exited: Promise<Exit>;
  /** Resolves with the first log line whose event is `name`; rejects when the process ends before. */
  event(name: string): Promise<Record<string, unknown>>;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL after a while: answers how it ended. */
  stop(): Promise<Exit>;
  /** The end of its log, for a failing test. */
  log(): string;
  /** All of its log. */
  wholeLog(): string;
};

const KEPT_LINES = 40;
const DRAIN_MS = 20_000;

const watch = (child: ChildProcess): ServiceProcess => {
  const lines: string[] = [];
  const all: string[] = [];
  const seen = new Map<string, Record<string, unknown>>();
  const waiting = new Map<string, (fields: Record<string, unknown>) => void>();
  const exited = new Promise<Exit>((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
  const take = (line: string): void => {
    all.push(line);
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    if (!line.startsWith("{")) return;
    const fields = JSON.parse(line) as Record<string, unknown>;
    const name = fields["event"] ?? fields["msg"];
    if (typeof name !== "string") return;
    seen.set(name, fields);
    waiting.get(name)?.(fields);
  };
  if (child.stderr) createInterface({ input: child.stderr }).on("line", take);
  const log = (): string => lines.join("\n");
  const signal = (name: NodeJS.Signals): void => void child.kill(name);
  return {
    pid: child.pid ?? 0,
    exited,
    log,
    wholeLog: () => all.join("\n"),
    signal,
    event: (name) => {
      const known = seen.get(name);
      if (known) return Promise.resolve(known);
      const found = new Promise<Record<string, unknown>>((resolve) => waiting.set(name, resolve));
      const ended = exited.then(({ code, signal: by }): never => {
        throw new Error(`the process ended (${code ?? by}) before "${name}":\n${log()}`);
      });
      return Promise.race([found, ended]);
    },
    stop: async () => {
      signal("SIGCONT");
      signal("SIGTERM");
      const timer = setTimeout(() => signal("SIGKILL"), DRAIN_MS);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
};

const start = (args: readonly string[], env: Env, main = MAIN): ServiceProcess =>
  watch(
    spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
      env: { ...process.env, ...env, LOG_LEVEL: "info" },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    }),
  );

/** A whole worker in one process, without its supervisor, so that it stays dead when it is killed; `main`: of another build. */
export const startWorker = (env: Env, main?: string): ServiceProcess =>
  start(["serve", "--roles", "worker"], { ...env, [CHILD_FLAG]: "live,background" }, main);

/** Edge and api on a free port; with the role worker also a supervised worker, as in production. */
export const startServe = async (env: Env, roles: string, main?: string): Promise<ServiceProcess & { url: string }> => {
  const edge = start(["serve", "--roles", roles], { ...env, PORT: "0" }, main);
  const { url } = await edge.event("listening");
  return Object.assign(edge, { url: String(url) });
};

/** Edge and api that may open only so many files and connections, or write only so much: arguments of `ulimit`. */
export const startLimited = async (env: Env, ulimit: string): Promise<ServiceProcess & { url: string }> => {
  const program = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN, "serve", "--roles", "edge,api"];
  const edge = watch(
    spawn("sh", ["-c", `ulimit ${ulimit} && exec "$0" "$@"`, ...program], {
      env: { ...process.env, ...env, PORT: "0", LOG_LEVEL: "info" },
      stdio: ["ignore", "ignore", "pipe"],
    }),
  );
  const { url } = await edge.event("listening");
  return Object.assign(edge, { url: String(url) });
};

/** Any command, left running. */
export const startCommand = (args: readonly string[], env: Env, main?: string): ServiceProcess =>
  start(args, env, main);

/** Runs a command to its end; throws with its stderr unless it exits 0. Answers its stdout. */
export const runCommand = async (args: readonly string[], env: Env, main = MAIN): Promise<string> => {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env } });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.on("data", (bytes: Buffer) => out.push(bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => err.push(bytes.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`health-sync ${args.join(" ")} exited ${code}: ${err.join("").slice(-2000)}`);
  return out.join("");
};
