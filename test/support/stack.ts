import { randomBytes } from "node:crypto";
import { afterAll } from "vitest";
import type { StackEnvironment } from "../../stack/environment.ts";
import { dropLeftovers, makeBucket } from "./stack-leftovers.ts";
import { cloneTemplate } from "./stack-database.ts";

/** How to reach the stack that this test run uses. */
export function stackEnv(): StackEnvironment {
  return {
    KAFKA_BROKERS: set("KAFKA_BROKERS"),
    SCHEMA_REGISTRY_URL: set("SCHEMA_REGISTRY_URL"),
    DATABASE_URL: set("DATABASE_URL"),
    S3_ENDPOINT: set("S3_ENDPOINT"),
    S3_BUCKET: set("S3_BUCKET"),
    S3_REGION: set("S3_REGION"),
    AWS_ACCESS_KEY_ID: set("AWS_ACCESS_KEY_ID"),
    AWS_SECRET_ACCESS_KEY: set("AWS_SECRET_ACCESS_KEY"),
    AUTH_SECRET: set("AUTH_SECRET"),
  };
}

function set(key: string): string {
  const value = process.env[key];
  if (value !== undefined) return value;
  throw new Error(`no stack (${key} is not set): run \`npx vitest --project stack\`, whose set-up brings one up`);
}

/** A corner of the stack that no other test file touches. */
export type Isolated = {
  /** For topic names and their subjects: `${prefix}health.samples.v1`; also fit for group and transactional ids. */
  prefix: string;
  /** A database of its own, migrated. */
  databaseUrl: string;
  /** Exists and is empty. */
  bucket: string;
  /** All that serve needs: the stack with this corner's database, bucket and TOPIC_PREFIX. */
  env: StackEnvironment & { TOPIC_PREFIX: string };
  /** Removes the database, the bucket, the topics and subjects under the prefix. Called by itself after the file's tests. */
  drop(): Promise<void>;
};

/**
 * Call it at the top of a test file: `const here = await isolated("relay")`. Topics are not created: apply them with
 * the prefix. The name tells a person whose corner it is; the process id in it tells a later run what was left behind.
 */
export async function isolated(name: string): Promise<Isolated> {
  const made = await makeIsolated(name);
  afterAll(() => made.drop(), 120_000);
  return made;
}

/** The same outside vitest and inside hooks: the caller drops it. */
export async function makeIsolated(name: string): Promise<Isolated> {
  const stack = stackEnv();
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 24);
  const corner = `t-${slug}-${process.pid}-${randomBytes(3).toString("hex")}`;
  const [databaseUrl] = await Promise.all([cloneTemplate(stack.DATABASE_URL, corner), makeBucket(stack, corner)]);
  const prefix = `${corner}.`;
  return {
    prefix,
    databaseUrl,
    bucket: corner,
    env: { ...stack, DATABASE_URL: databaseUrl, S3_BUCKET: corner, TOPIC_PREFIX: prefix },
    drop: () => dropLeftovers(stack, (found) => found === corner),
  };
}
