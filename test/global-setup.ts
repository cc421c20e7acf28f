import { whyNotDocker } from "../stack/docker.ts";
import type { StackEnvironment } from "../stack/environment.ts";
import { foreignStack } from "../stack/foreign.ts";
import { down, up } from "../stack/stack.ts";
import { findStack } from "../stack/state.ts";
import { containers } from "./support/stack-containers.ts";
import { dropOrphans } from "./support/stack-leftovers.ts";

let after: (() => Promise<void>) | undefined;
const say = (line: string): void => void process.stderr.write(`stack: ${line}\n`);

/**
 * The stack of a test run, for its workers in process.env: the one that the environment names; else containers where
 * Docker can serve; else a local one called `test`, which stays up for the next run unless CI=true or
 * HEALTH_SYNC_STACK=down.
 */
export async function setup(): Promise<void> {
  if (foreignStack(process.env) !== undefined || findStack(process.env) !== undefined) {
    await use(await up({ say }));
    return;
  }
  if ((await whyNotDocker(say)) === undefined) {
    const started = await containers();
    after = () => started.stop();
    await use(started.env);
    return;
  }
  await use(await up({ name: "test", docker: "never", say }));
  const leave = process.env["CI"] !== "true" && process.env["HEALTH_SYNC_STACK"] !== "down";
  if (!leave) after = () => down("test", false, say);
}

export async function teardown(): Promise<void> {
  await after?.();
}

async function use(env: StackEnvironment): Promise<void> {
  Object.assign(process.env, env);
  if (findStack(env) !== undefined) await dropOrphans(env);
}
