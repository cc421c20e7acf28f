import { randomBytes } from "node:crypto";
import type { StackState } from "./state.ts";

/** The four addresses that make an environment name a stack of its own. */
const ADDRESSES = ["KAFKA_BROKERS", "SCHEMA_REGISTRY_URL", "DATABASE_URL", "S3_ENDPOINT"] as const;

/** Everything that `serve` and `token` need to know of a stack. */
export type StackEnvironment = Record<
  | (typeof ADDRESSES)[number]
  | "S3_BUCKET"
  | "S3_REGION"
  | "AWS_ACCESS_KEY_ID"
  | "AWS_SECRET_ACCESS_KEY"
  | "AUTH_SECRET",
  string
>;

/** AUTH_SECRET: 256 random bits. */
export const newSecret = (): string => randomBytes(32).toString("base64url");

export function environmentOf(state: Pick<StackState, "ports" | "secret">): StackEnvironment {
  const { ports } = state;
  return {
    KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
    SCHEMA_REGISTRY_URL: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`,
    DATABASE_URL: `postgres://postgres@127.0.0.1:${ports.postgres}/health_sync`,
    S3_ENDPOINT: `http://127.0.0.1:${ports.objects}`,
    S3_BUCKET: "health-sync",
    S3_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "testtest",
    AUTH_SECRET: state.secret,
  };
}

/**
 * The stack that `env` names, or undefined when it names none; `secret` is asked for when the environment has none.
 * @throws when only some of the four addresses are set: half a stack is a mistake, not a wish.
 */
export function namedStack(env: NodeJS.ProcessEnv, secret: (brokers: string) => string): StackEnvironment | undefined {
  const missing = ADDRESSES.filter((key) => !env[key]);
  if (missing.length === ADDRESSES.length) return undefined;
  if (missing.length > 0) {
    throw new Error(
      `the environment names half a stack: set ${missing.join(", ")} too, or none of ${ADDRESSES.join(", ")}`,
    );
  }
  const text = (key: string, fallback: string): string => env[key] || fallback;
  const brokers = text("KAFKA_BROKERS", "");
  return {
    KAFKA_BROKERS: brokers,
    SCHEMA_REGISTRY_URL: text("SCHEMA_REGISTRY_URL", ""),
    DATABASE_URL: text("DATABASE_URL", ""),
    S3_ENDPOINT: text("S3_ENDPOINT", ""),
    S3_BUCKET: text("S3_BUCKET", "health-sync"),
    S3_REGION: text("S3_REGION", "us-east-1"),
    AWS_ACCESS_KEY_ID: text("AWS_ACCESS_KEY_ID", ""),
    AWS_SECRET_ACCESS_KEY: text("AWS_SECRET_ACCESS_KEY", ""),
    AUTH_SECRET: env["AUTH_SECRET"] || secret(brokers),
  };
}

/** `KEY=VALUE` lines in a fixed order. */
export function environmentLines(env: StackEnvironment): string {
  return Object.entries(env)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}
