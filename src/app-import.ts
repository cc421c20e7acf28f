import { homedir } from "node:os";
import { join } from "node:path";
import type { Connections } from "./app.ts";
import { isTransient } from "./app.ts";
import type { ImportProgress, ImportReport, ImportRequest } from "./flow/import-report.ts";
import { importFiles } from "./ingest/import-files.ts";
import { openNotes } from "./ingest/import-notes.ts";
import { publishBatch } from "./ingest/publish.ts";
import { waitForQuiet } from "./ops/wait.ts";
import { WATCHED, createPace } from "./pace.ts";

const stateFolder = (): string => process.env["XDG_STATE_HOME"] || join(homedir(), ".local", "state");

/** The ingest stage in process: Kafka and registry, not Postgres. Goes on where an earlier one was interrupted. */
export const runImport = async (
  connections: Connections,
  request: ImportRequest,
  onProgress: (progress: ImportProgress) => void,
): Promise<ImportReport> => {
  const { kafka, codec, topics, clock, config } = connections;
  const { athlete_id, again = false, dry_run } = request;
  const folder = join(stateFolder(), "health-sync", "imports");
  const place = { folder, athlete_id, brokers: config.brokers, batchesTopic: topics("batches") };
  const notes = await openNotes(place, { log: kafka.logInfo(), clock }, again || dry_run);
  const producer = kafka.producer({ giveUpMs: 30_000 });
  try {
    const publish = async (decision: Parameters<typeof publishBatch>[1]): Promise<void> => {
      const { written } = await publishBatch({ producer, codec, topics, isTransient }, decision);
      await notes.add(decision, written);
    };
    const report = await importFiles(request, {
      publish,
      isSent: (decision) => notes.has(decision),
      clock,
      pace: createPace(WATCHED),
      onProgress,
    });
    if (!dry_run) notes.clear();
    return report;
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
      { db, logInfo: kafka.logInfo(), clock, topics, isTransient, grace: config.windowGrace },
      { athlete, timeout },
    );
  } finally {
    await db.close();
  }
};
