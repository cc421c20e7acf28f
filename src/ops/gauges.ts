import type { Clock, Database, LogInfo, Telemetry } from "../flow/ports.ts";
import { showPositions } from "./positions.ts";
import { createTimeLeft } from "./time-left.ts";
import { STAGING_GROUP } from "./wait.ts";

export type GaugeDeps = {
  db: Database;
  logInfo: LogInfo;
  telemetry: Telemetry;
  group?: string;
  /** Kept from one reading to the next: how fast history goes. */
  history?: HistoryPace;
};

/** `topic`: that of the slow lane. */
export const historyPace = (topic: string, clock: Clock) => {
  const left = { staging: createTimeLeft(), windows: createTimeLeft() };
  return { topic, secondsLeft: (stage: "staging" | "windows", n: number) => left[stage](clock.now(), n) ?? -1 };
};
export type HistoryPace = ReturnType<typeof historyPace>;

const SAMPLE = `select
  (select count(*) from windows where dirty > fired) as dirty_windows,
  (select current_date - min(local_date) from windows where dirty > fired) as oldest_days,
  (select count(*) from windows where dirty > fired and lane = 'backfill') as backfill_windows,
  (select count(*) from outbox) as outbox_rows`;

type Sampled = { dirty_windows: number; oldest_days: number | null; backfill_windows: number; outbox_rows: number };

/** Reads the slow figures: windows, outbox and lag. Every 10 s by the worker. Throws when Kafka or Postgres is away. */
export const sampleGauges = async (deps: GaugeDeps): Promise<void> => {
  const { telemetry } = deps;
  const [row] = await deps.db.query<Sampled>(SAMPLE);
  telemetry.gauge("dirty_windows", {}, row?.dirty_windows ?? 0);
  telemetry.gauge("oldest_dirty_day_age_days", {}, row?.oldest_days ?? 0);
  telemetry.gauge("outbox_rows", {}, row?.outbox_rows ?? 0);
  telemetry.gauge("backfill_windows", {}, row?.backfill_windows ?? 0);
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
  if (!deps.history) return;
  const { topic, secondsLeft } = deps.history;
  const waiting = lags.get(JSON.stringify([STAGING_GROUP, topic])) ?? 0;
  telemetry.gauge("backfill_seconds_left", { stage: "staging" }, secondsLeft("staging", waiting));
  telemetry.gauge("backfill_seconds_left", { stage: "windows" }, secondsLeft("windows", row?.backfill_windows ?? 0));
};
