/** Figures of the workers, read from `/metrics`. `held_ms`: the longest that each one's event loop stood still, by its role. */
export type WorkerFigures = { held_ms: Record<string, number>; staging: Timed; panes: Timed };
type Timed = { count: number; mean_ms: number };

const EVERY_MS = 1_000;

/** The sum over every series of this name that carries all of the labels. */
const sumOf = (text: string, name: string, labels: readonly string[]): number =>
  text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);

const timed = (text: string, name: string, labels: readonly string[] = []): Timed => {
  const count = sumOf(text, `health_sync_${name}_count`, labels);
  return { count, mean_ms: sumOf(text, `health_sync_${name}_sum`, labels) / count };
};

/** Looks every second, since the longest pause is forgotten once it was told. */
export const followWorker = (url: string): { stop(): Promise<WorkerFigures> } => {
  const held_ms: Record<string, number> = {};
  let text = "";
  const look = async (): Promise<void> => {
    const answer = await fetch(`${url}/metrics`);
    if (!answer.ok) return;
    text = await answer.text();
    for (const [, role = "", held] of text.matchAll(/^nodejs_eventloop_lag_max_seconds\{role="(.+)"\} (.+)$/gm)) {
      held_ms[role] = Math.max(held_ms[role] ?? 0, 1000 * Number(held));
    }
  };
  const timer = setInterval(() => void look().catch(() => undefined), EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await look();
      return { held_ms, staging: timed(text, "commit_ms", [`stage="staging"`]), panes: timed(text, "pane_ms") };
    },
  };
};
