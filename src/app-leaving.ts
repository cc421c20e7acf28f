import type { Connections } from "./app.ts";
import { isTransient } from "./app.ts";
import { failpoints } from "./failpoints.ts";
import type { Database, ObjectStore } from "./flow/ports.ts";
import type { Route } from "./flow/route.ts";
import { pause } from "./flow/retry.ts";
import { ERASE_STEPS, type EraseDeps } from "./ops/erase.ts";
import { sweepErased } from "./ops/erase-objects.ts";
import { eraseRoute } from "./ops/erase-route.ts";

type Stores = { db: Database; objects: ObjectStore };

const eraseDeps = ({ clock, topics, declared }: Connections, stores: Stores): EraseDeps => ({
  ...stores,
  clock,
  topic: topics,
  declared,
  onStep: () => undefined,
});

/** What the command needs; fault runs kill it at ERASE_STEPS. */
export const openErase = (connections: Connections): EraseDeps & { close(): Promise<void> } => {
  const { config } = connections;
  const db = connections.openDatabase(2);
  const objects = connections.openObjects();
  const onStep = failpoints({ kill: config.failpoint, stop: config.failpointStop }, ERASE_STEPS);
  const close = async (): Promise<void> => {
    objects.close();
    await db.close();
  };
  return { ...eraseDeps(connections, { db, objects }), onStep, close };
};

/** Leaving by HTTP. */
export const leavingRoutes = (connections: Connections, stores: Stores): Route[] => [
  eraseRoute({ ...eraseDeps(connections, stores), isTransient }),
];

const SWEEP_MS = 30_000;

/** Finishes what erasures left behind, until the signal. An outage only puts it off. */
export const followErasures = async (
  { clock, config, telemetry }: Connections,
  stores: Stores,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    await sweepErased({ ...stores, clock }, 2 * config.sweepGrace).catch((error: unknown) => {
      if (!isTransient(error)) throw error;
      telemetry.warn("erasures_put_off", { error });
    });
    await pause(SWEEP_MS, signal);
  }
};
