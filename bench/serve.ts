import { type Serving, startServing } from "../src/ops/serving.ts";
import { keepLog, type Restart } from "./heard.ts";
import { followLives, type Lives } from "./lives.ts";
import type { Place } from "./place.ts";
import { MAIN } from "./worker.ts";

export type Served = Serving & { lives: Pick<Lives, "usage">; restarts: () => readonly Restart[] };

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** A service is a session of its own, and would outlive a bench that is told to end. Answers how to take that back. */
const endsWithUs = (pid: number): (() => void) => {
  const end = (): void => {
    process.kill(pid, "SIGTERM");
    process.exit(1);
  };
  for (const signal of SIGNALS) process.once(signal, end);
  return () => SIGNALS.forEach((signal) => process.off(signal, end));
};

/**
 * A service for as long as the work takes. Restarts of its parts are told with what these said last; its log stays where
 * there were any, or the work failed.
 */
export const serving = async <T>({ env, say }: Place, work: (served: Served) => Promise<T>): Promise<T> => {
  const log = keepLog(say);
  let whole = false;
  try {
    const service = await startServing(MAIN, env, log.hear);
    const lives = followLives(service);
    const release = endsWithUs(service.pid);
    try {
      const done = await work({ ...service, lives, restarts: log.restarts });
      whole = true;
      return done;
    } finally {
      lives.stop();
      await service.stop();
      release();
    }
  } finally {
    log.end(whole);
  }
};
