import type { Database } from "../src/flow/ports.ts";
import { type FilledLog, positionsIn } from "./log.ts";
import { type Timed, followTo } from "./pass.ts";
import { startWorker } from "./worker.ts";

/** One worker, started for it, applies a log from where the stored positions are to its end. */
export const stageAll = async (env: NodeJS.ProcessEnv, db: Database, log: FilledLog): Promise<Timed> => {
  const worker = startWorker(env);
  try {
    const done = async (): Promise<number | null> => {
      const positions = await positionsIn(db, log.topic);
      return positions.size === 0 ? null : log.behind(positions);
    };
    return await followTo(log.rows, done, worker);
  } finally {
    await worker.stop();
  }
};
