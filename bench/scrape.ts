import { countOverLives } from "./lives.ts";

/** Figures of the workers, read from `/metrics`. `held_ms`: the longest that each one's event loop stood still, by its role. */
export type WorkerFigures = { held_ms: Record<string, number>; staging: Timed; panes: Timed };
type Timed = { count: number; mean_ms: number };

const EVERY_MS = 1_000;
const SERIES = /^(health_sync_(?:commit|pane)_ms_(?:count|sum)\{.*\}) (\S+)$/gm;

/** Looks every second, since the longest pause is forgotten once it was told, and the counts of a part when it ends. */
export const followWorker = (url: string): { stop(): Promise<WorkerFigures> } => {
  const held_ms: Record<string, number> = {};
  const counts = countOverLives();
  const look = async (): Promise<void> => {
    const answer = await fetch(`${url}/metrics`);
    if (!answer.ok) return;
    const text = await answer.text();
    for (const [, role = "", held] of text.matchAll(/^nodejs_eventloop_lag_max_seconds\{role="(.+)"\} (.+)$/gm)) {
      held_ms[role] = Math.max(held_ms[role] ?? 0, 1000 * Number(held));
    }
    for (const [, series = "", value] of text.matchAll(SERIES)) counts.see(series, Number(value));
  };
  const timed = (name: string, label = ""): Timed => {
    const sum = (of: "count" | "sum"): number =>
      counts.sum((series) => series.startsWith(`health_sync_${name}_${of}{`) && series.includes(label));
    const count = sum("count");
    return { count, mean_ms: sum("sum") / count };
  };
  const timer = setInterval(() => void look().catch(() => undefined), EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await look();
      return { held_ms, staging: timed("commit_ms", `stage="staging"`), panes: timed("pane_ms") };
    },
  };
};
