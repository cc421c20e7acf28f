import type { Connections } from "./app.ts";
import { isTransient } from "./app.ts";
import { leavingRoutes } from "./app-leaving.ts";
import { storedSamples } from "./app-stored.ts";
import { editRoutes } from "./edits/routes.ts";
import { settingsRoutes } from "./edits/settings.ts";
import { digest } from "./flow/digest.ts";
import type { Database, ObjectStore, Producer } from "./flow/ports.ts";
import type { Route } from "./flow/route.ts";
import { doorRoutes } from "./ingest/door-routes.ts";
import { reconcileRoute } from "./ingest/reconcile-route.ts";
import { ingestRoutes } from "./ingest/route.ts";
import { type AskedBatch, knownBodyHashes } from "./ingest/sql.ts";
import { gathered } from "./io/gathered.ts";
import { parquetFormat } from "./io/parquet.ts";
import { liveRoute } from "./query/live.ts";
import { queryRoutes } from "./query/routes.ts";
import { webRoutes } from "./web/route.ts";

/** What the edge role serves: whatever takes data in. It needs Kafka alone (but to reconcile); Postgres may be away. */
export const edgeRoutes = (
  { codec, topics, clock }: Connections,
  { db, producer, objects }: { db: Database; producer: Producer; objects: ObjectStore },
): Route[] => {
  const known_hash = gathered((asked: readonly AskedBatch[]) => knownBodyHashes(db, asked));
  const deps = { db, producer, codec, topics, isTransient, known_hash };
  const stored = storedSamples({ db, objects, parquet: parquetFormat, digest });
  return [...ingestRoutes(deps), ...doorRoutes({ ...deps, clock }), reconcileRoute({ ...deps, stored })];
};

/** What the api role serves to people and programs. `signal` ends streams when the process drains. */
export const apiRoutes = (
  connections: Connections,
  { db, objects, signal }: { db: Database; objects: ObjectStore; signal: AbortSignal },
): Route[] => {
  const { codec, topics, kafka, config, clock, owner } = connections;
  return [
    ...queryRoutes({ db, objects, parquet: parquetFormat, digest, clock, isTransient }),
    liveRoute({
      codec,
      topics,
      log: kafka.logInfo(),
      openConsumer: () =>
        kafka.consumer({
          group: `${config.prefix}live-${owner}`,
          topics: [topics("metrics"), topics("sleep-sessions")],
        }),
      signal,
    }),
    ...editRoutes({ db, clock, topic: topics, isTransient }),
    ...settingsRoutes({ db, clock, topic: topics, isTransient }),
    ...leavingRoutes(connections, { db, objects }),
    ...webRoutes(),
  ];
};
