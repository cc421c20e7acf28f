import type { Database, LogInfo, Telemetry } from "../flow/ports.ts";
import { showPositions } from "./positions.ts";

export type GaugeDeps = { db: Database; logInfo: LogInfo; telemetry: Telemetry; group?: string };

const SAMPLE = `select
  (select count(*) from windows where dirty > fired) as dirty_windows,
  (select current_date - min(local_date) from windows where dirty > fired) as oldest_days,
  (select count(*) from outbox) as outbox_rows`;

/** Reads the slow figures: windows, outbox and lag. Every 5 s by the worker. Throws when Kafka or Postgres is away. */
export const sampleGauges = async (deps: GaugeDeps): Promise<void> => {
  const { telemetry } = deps;
  const [row] = await deps.db.query<{ dirty_windows: number; oldest_days: number | null; outbox_rows: number }>(SAMPLE);
  telemetry.gauge("dirty_windows", {}, row?.dirty_windows ?? 0);
  telemetry.gauge("oldest_dirty_day_age_days", {}, row?.oldest_days ?? 0);
  telemetry.gauge("outbox_rows", {}, row?.outbox_rows ?? 0);
  const lags = new Map<string, number>();
  for (const { group_id, topic, lag } of await showPositions(deps, deps.group ?? null)) {
    // A replay ends before the log does, and says itself how far it is.
    if (group_id.includes("@replay-")) continue;
    const name = JSON.stringify([group_id, topic]);
    lags.set(name, (lags.get(name) ?? 0) + (lag ?? 0));
  }
  for (const [name, lag] of lags) {
    const [group, topic] = JSON.parse(name) as [string, string];
    telemetry.gauge("lag_records", { group, topic }, lag);
  }
};
