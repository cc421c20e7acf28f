import type { Serving } from "../src/ops/serving.ts";
import { type Usage, usageOf } from "./measure.ts";

/** A process that ends is seen for the last time within this. */
const EVERY_MS = 250;

const SERVE = "serve (edge, api)";

/** CPU of several lives added up, and the highest memory of any. */
export const usageOver = (lives: Iterable<Usage>): Usage => {
  const sum = { cpu_s: 0, peak_mb: 0 };
  for (const { cpu_s, peak_mb } of lives) {
    sum.cpu_s += cpu_s;
    sum.peak_mb = Math.max(sum.peak_mb, peak_mb);
  }
  return sum;
};

/** What each process of a service has used, by its name, over all its lives: a part that is started again is another process. */
export type Lives = { usage(): Map<string, Usage>; stop(): void };

export const followLives = (service: Pick<Serving, "pid" | "workers">): Lives => {
  const seen = new Map<string, Map<number, Usage>>();
  const look = (): void => {
    for (const [name, pid] of [[SERVE, service.pid] as const, ...service.workers]) {
      const usage = usageOf(pid);
      const lives = seen.get(name) ?? new Map<number, Usage>();
      seen.set(name, lives);
      if (usage) lives.set(pid, usage);
    }
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    usage: () => {
      look();
      return new Map([...seen].map(([name, lives]) => [name, usageOver(lives.values())]));
    },
    stop: () => clearInterval(timer),
  };
};

/** Of the parts of the worker together: each one's highest memory added up. */
export const workersOf = (usage: ReadonlyMap<string, Usage>): Usage => {
  const workers = [...usage].filter(([name]) => name !== SERVE).map(([, used]) => used);
  return { cpu_s: usageOver(workers).cpu_s, peak_mb: workers.reduce((sum, { peak_mb }) => sum + peak_mb, 0) };
};

/** Counters over the lives of the processes that count them: one that is smaller than before has begun again. */
export const countOverLives = () => {
  const seen = new Map<string, { before: number; now: number }>();
  return {
    see: (series: string, value: number): void => {
      const { before, now } = seen.get(series) ?? { before: 0, now: 0 };
      seen.set(series, { before: value < now ? before + now : before, now: value });
    },
    sum: (wanted: (series: string) => boolean): number =>
      [...seen].reduce((sum, [series, { before, now }]) => (wanted(series) ? sum + before + now : sum), 0),
  };
};
