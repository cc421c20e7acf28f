import { randomBytes } from "node:crypto";
import type { Connections } from "./app.ts";
import { isTransient } from "./app.ts";
import { failpoints } from "./failpoints.ts";
import { digest } from "./flow/digest.ts";
import type { Database, OnStep, Producer } from "./flow/ports.ts";
import type { AnyStage } from "./flow/stage.ts";
import { anyStage } from "./flow/stage.ts";
import { partitionOfKey } from "./io/kafka-records.ts";
import type { ReplayPorts } from "./ops/replay-command.ts";
import { noteReplay, planFromLog } from "./ops/replay-prepare.ts";
import { REPLAYED } from "./ops/replay-plan.ts";
import { runReplay } from "./ops/replay-run.ts";
import { type Selection, listReplays, setState } from "./ops/replay-store.ts";
import { WATCHED, createPace, paced } from "./pace.ts";
import { selecting } from "./staging/select.ts";
import { STAGING_STEPS, createStagingStage } from "./staging/stage.ts";

/** Staging's stages on what was selected. Everything goes the slow lane, so that a replay never delays today. */
const replayStages =
  ({ codec, topics }: Connections, onStep: OnStep, wakes: Producer) =>
  (selection: Selection, taken: () => void): Map<string, AnyStage> => {
    const wake = (touched: { athlete_id: string; dates: number[]; reason: string }): void => {
      const topic = topics("windows");
      // A lost wake-up only costs time: what is due stands in the windows table.
      codec
        .encode(topic, { ...touched, reason: "replay" })
        .then((value) => wakes.send([{ topic, key: touched.athlete_id, value }]))
        .catch(() => undefined);
    };
    const stage = selecting(createStagingStage({ codec, digest, onStep, wake }, "backfill"), selection, taken);
    return new Map(REPLAYED.map((name) => [topics(name), anyStage(stage)]));
  };

/** The first signal pauses; a second one ends the process at once. */
const untilTold = () => {
  const told = new AbortController();
  const tell = (): void => told.abort();
  const names = ["SIGTERM", "SIGINT"] as const;
  for (const name of names) process.once(name, tell);
  return {
    signal: told.signal,
    end: () => {
      for (const name of names) process.off(name, tell);
    },
  };
};

/** What `health-sync replay` works with. */
export const openReplay = async (connections: Connections): Promise<ReplayPorts> => {
  const { kafka, clock, config, topics } = connections;
  const db: Database = connections.openDatabase(6);
  const logInfo = kafka.logInfo();
  const prepare = { db, clock, logInfo, topics, partitionOfKey };
  return {
    plan: (asked) => planFromLog(prepare, asked),
    note: (asked, what) => noteReplay(prepare, asked, what),
    run: async (id, onProgress) => {
      const steps = failpoints({ kill: config.failpoint, stop: config.failpointStop }, STAGING_STEPS);
      const onStep = paced(steps, createPace(WATCHED));
      const wakes = kafka.producer();
      const told = untilTold();
      try {
        return await runReplay(
          {
            ...connections,
            db,
            logInfo,
            onStep,
            isTransient,
            owner: `${connections.owner}-${randomBytes(3).toString("hex")}`,
            deadLetterTopic: topics("deadletter"),
            consumer: ({ group, topics: read }) => kafka.consumer({ group: `${config.prefix}${group}`, topics: read }),
            stages: replayStages(connections, onStep, wakes),
          },
          id,
          { signal: told.signal, onProgress },
        );
      } finally {
        told.end();
        await wakes.close();
      }
    },
    preview: async (asked, { ranges }, onProgress) => {
      const { previewReplay } = await import("./app-replay-preview.ts");
      return previewReplay(connections, { selection: asked, ranges }, onProgress);
    },
    list: () => listReplays(db),
    set: (id, state) => setState(db, id, state, clock.now()),
    now: () => clock.now(),
    close: () => db.close(),
  };
};
