import { spawn } from "node:child_process";
import type { Artifacts } from "./artifacts.ts";
import type { Launch, User } from "./process.ts";
import type { PartName, StackState } from "./state.ts";

/** How one part of the local stack is made ready, started and stopped. */
export type Part = {
  name: PartName;
  version: string;
  /** Parts that must answer before this one is launched. */
  after: readonly PartName[];
  /** Brings the data directory into being; does nothing where it is there already. */
  prepare(): Promise<void>;
  launch(): Launch;
};

export type PartInput = { state: StackState; artifacts: Artifacts; logDir: string };

/** Tells the person at the terminal; never on stdout. */
export type Say = (line: string) => void;

/** Keeps a JVM from leaving files among the temporary ones when it is killed. */
export function tidyJvm(dir: string): string[] {
  return ["-XX:-UsePerfData", `-Djava.io.tmpdir=${dir}`];
}

/** Runs a command to its end; answers stdout. @throws with the last lines of stderr. */
export async function run(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; user?: User | undefined; input?: string } = {},
): Promise<string> {
  const { user, input, env, cwd } = options;
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    ...user,
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  // A command that ends before it has read its input makes the pipe fail; its exit code tells more.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`cannot run ${command}: ${error.message}`)));
    child.once("close", resolve);
  });
  if (code !== 0) {
    const last = `${out}\n${err}`.trim().split("\n").slice(-15).join("\n");
    throw new Error(`${command} ${args.slice(0, 3).join(" ")} … failed (exit ${code}):\n${last}`);
  }
  return out + (command === "java" ? err : "");
}
