import type { Connections } from "./app.ts";
import { isTransient } from "./app.ts";
import type { ImportProgress, ImportReport, ImportRequest } from "./flow/import-report.ts";
import { importFiles } from "./ingest/import-files.ts";
import { publishBatch } from "./ingest/publish.ts";
import { waitForQuiet } from "./ops/wait.ts";

/** The ingest stage in process: Kafka and registry, not Postgres. */
export const runImport = async (
  connections: Connections,
  request: ImportRequest,
  onProgress: (progress: ImportProgress) => void,
): Promise<ImportReport> => {
  const { kafka, codec, topics, clock } = connections;
  const producer = kafka.producer({ giveUpMs: 30_000 });
  try {
    const publish = (decision: Parameters<typeof publishBatch>[1]) =>
      publishBatch({ producer, codec, topics, isTransient }, decision);
    return await importFiles(request, { publish, clock, onProgress });
  } finally {
    await producer.close();
  }
};

/** Until everything accepted of the athlete is durable in staging, panes and metrics. */
export const waitForAthlete = async (connections: Connections, athlete: string, timeout: number): Promise<void> => {
  const { kafka, topics, clock, config } = connections;
  const db = connections.openDatabase(2);
  try {
    await waitForQuiet(
      { db, logInfo: kafka.logInfo(), clock, topics, grace: config.windowGrace },
      { athlete, timeout },
    );
  } finally {
    await db.close();
  }
};
