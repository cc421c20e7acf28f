import type { Connections } from "./app.ts";
import { isTransient } from "./app.ts";
import { failpoints } from "./failpoints.ts";
import { digest } from "./flow/digest.ts";
import type { Database, ObjectStore } from "./flow/ports.ts";
import type { Route } from "./flow/route.ts";
import { pause } from "./flow/retry.ts";
import { parquetFormat } from "./io/parquet.ts";
import { ERASE_STEPS, type EraseDeps } from "./ops/erase.ts";
import { sweepErased } from "./ops/erase-objects.ts";
import { eraseRoute } from "./ops/erase-route.ts";
import type { ExportDeps } from "./ops/export.ts";
import { exportRoute } from "./ops/export-route.ts";
import { readSeries } from "./query/read.ts";

type Stores = { db: Database; objects: ObjectStore };

const openStores = (connections: Connections): { stores: Stores; close: () => Promise<void> } => {
  const db = connections.openDatabase(2);
  const objects = connections.openObjects();
  const close = async (): Promise<void> => {
    objects.close();
    await db.close();
  };
  return { stores: { db, objects }, close };
};

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
  const { stores, close } = openStores(connections);
  const onStep = failpoints({ kill: config.failpoint, stop: config.failpointStop }, ERASE_STEPS);
  return { ...eraseDeps(connections, stores), onStep, close };
};

/** Samples are read as the api reads them: copies, deletions and twins resolved, staging and Parquet alike. */
const exportDeps = ({ clock }: Connections, stores: Stores): ExportDeps => ({
  ...stores,
  clock,
  parquet: parquetFormat,
  readLive: async (athlete_id, range) => {
    const deps = { ...stores, parquet: parquetFormat, digest };
    return (await readSeries(deps, { athlete_id, metric: null, ...range })).live;
  },
});

export const openExport = (connections: Connections): ExportDeps & { close(): Promise<void> } => {
  const { stores, close } = openStores(connections);
  return { ...exportDeps(connections, stores), close };
};

/** Leaving by HTTP. */
export const leavingRoutes = (connections: Connections, stores: Stores): Route[] => [
  exportRoute({ ...exportDeps(connections, stores), isTransient }),
  eraseRoute({ ...eraseDeps(connections, stores), isTransient }),
];

const SWEEP_MS = 30_000;
/** A pane or an erasure that was under way has come to its end by then; the sweeper's own listing finds what has not. */
const AFTERMATH_MS = 3_600_000;

/** Finishes what erasures left behind, until the signal; at the start those of long ago too. An outage only puts it off. */
export const followErasures = async (
  { clock, config, telemetry }: Connections,
  stores: Stores,
  signal: AbortSignal,
): Promise<void> => {
  let lately = 2 * config.sweepGrace + AFTERMATH_MS;
  while (!signal.aborted) {
    try {
      await sweepErased({ ...stores, clock }, lately);
      lately = AFTERMATH_MS;
    } catch (error) {
      if (!isTransient(error)) throw error;
      telemetry.warn("erasures_put_off", { error });
    }
    await pause(SWEEP_MS, signal);
  }
};
