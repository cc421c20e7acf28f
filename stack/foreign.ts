import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { namedStack, newSecret, type StackEnvironment } from "./environment.ts";
import { stacksDir } from "./layout.ts";
import type { Say } from "./part.ts";
import { FOREIGN } from "./probe.ts";
import { findStack, PARTS } from "./state.ts";

/** The stack that `env` names, unless this checkout has started it. */
export function foreignStack(env: NodeJS.ProcessEnv): StackEnvironment | undefined {
  return findStack(env) === undefined ? namedStack(env, keptSecret) : undefined;
}

/** Answers the stack if each part answers. @throws with what each of the others said. */
export async function useForeign(stack: StackEnvironment, say: Say): Promise<StackEnvironment> {
  say(`using the stack that the environment names (KAFKA_BROKERS=${stack.KAFKA_BROKERS})`);
  const failures = await Promise.all(
    PARTS.map(async (part) => {
      try {
        await FOREIGN[part](stack);
        return undefined;
      } catch (error) {
        return `${part}: ${error instanceof Error ? error.message || error.name : String(error)}`;
      }
    }),
  );
  const wrong = failures.filter((failure) => failure !== undefined);
  if (wrong.length === 0) return stack;
  throw new Error(
    `the stack that the environment names does not answer (${wrong.join("; ")}): start it, or unset ` +
      "KAFKA_BROKERS, SCHEMA_REGISTRY_URL, DATABASE_URL and S3_ENDPOINT to have a local one",
  );
}

/** AUTH_SECRET for a stack that is not ours: made once for its brokers, so that tokens outlive a command. */
function keptSecret(brokers: string): string {
  const key = createHash("sha256").update(brokers).digest("hex").slice(0, 16);
  const file = join(stacksDir(), "..", `auth-secret-${key}`);
  try {
    return readFileSync(file, "utf8");
  } catch {
    mkdirSync(stacksDir(), { recursive: true });
    writeFileSync(file, newSecret(), { mode: 0o600 });
    return readFileSync(file, "utf8");
  }
}
