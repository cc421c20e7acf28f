import type { Pane } from "../../../src/windows/due.ts";
import type { PaneFacts } from "../../../src/windows/facts.ts";

/** Facts of a pane where nothing else is known; `days` are those that fire, each with its pane. */
export const paneFacts = (
  change: Partial<Omit<PaneFacts, "days">>,
  days: Readonly<Record<string, Pane>>,
): PaneFacts => ({
  athlete_id: "anna",
  version: 0,
  settings: { zones: [], source_order: {} },
  days: Object.entries(days).map(([date, pane]) => ({ date, pane, k: 1, topic_partition: 0 })),
  staged: [],
  stored: [],
  tombstones: [],
  metrics: [],
  totals: [],
  sessions: [],
  streams: [],
  history: [],
  ...change,
});
