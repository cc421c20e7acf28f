import { type Connections, connect, isTransient } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import type { Database } from "../src/flow/ports.ts";
import { mintToken } from "../src/ops/token.ts";
import { waitForQuiet } from "../src/ops/wait.ts";
import type { Place } from "./place.ts";
import type { Target } from "./probe.ts";
import { type Served, serving } from "./serve.ts";
import { type TreeUsage, treeUsage } from "./tree.ts";

/** So that nothing but the machine limits what is sent. */
export const UNLIMITED = { RATE_PER_TOKEN: "1000000", RATE_PER_ATHLETE: "1000000", MAX_IN_FLIGHT: "4096" };
const PATIENCE_MS = 3_600_000;

/** Edge, workers and api in processes of their own, as `serve` starts them. */
export type Service = {
  target: Target;
  db: Database;
  connections: Connections;
  served: Served;
  usage: () => TreeUsage;
  /** Resolves when nothing that was accepted is under way. */
  settled: () => Promise<void>;
};

/** `shift_ms`: how far its clock is off, which `env` tells it. */
export const inService = <T>({ env, say }: Place, work: (service: Service) => Promise<T>, shift_ms = 0): Promise<T> =>
  serving({ env: { ...env, ...UNLIMITED }, say }, (served) => withService(env, served, work, shift_ms));

const withService = async <T>(
  env: NodeJS.ProcessEnv,
  served: Served,
  work: (service: Service) => Promise<T>,
  shift_ms: number,
): Promise<T> => {
  const connections = connect(readConfig(env), "bench");
  const db = connections.openDatabase(4);
  const clock = { now: () => Date.now() + shift_ms };
  const wait = { db, clock, logInfo: connections.kafka.logInfo(), topics: connections.topics, isTransient };
  try {
    const scopes = ["ingest", "read"] as const;
    const token = await mintToken({ secret: env["AUTH_SECRET"] ?? "", ttl: 86_400, athletes: "*", scopes });
    return await work({
      target: { url: served.url, token },
      db,
      connections,
      served,
      usage: () => treeUsage(served.pid),
      settled: async () => {
        await waitForQuiet({ ...wait, grace: connections.config.windowGrace }, { timeout: PATIENCE_MS });
      },
    });
  } finally {
    await db.close();
  }
};
