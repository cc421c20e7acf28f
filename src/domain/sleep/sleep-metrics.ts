import type { MetricValue } from "../metric-value.ts";
import type { Digest, LocalDate } from "../sample.ts";
import type { SleepSession } from "./session.ts";

/** A main sleep: somebody slept, so what a night has is known. */
export type MainSleep = SleepSession & {
  onset_at: number;
  final_wake_at: number;
  total_sleep_s: number;
  efficiency: number;
};

/** The date's main sleep among sessions; null where there is none. */
export const mainSleepOf = (date: LocalDate, sessions: readonly SleepSession[]): MainSleep | null =>
  (sessions.find((session) => session.is_main_sleep && session.date === date) as MainSleep | undefined) ?? null;

/** All sleep of a date, naps too; what another source told better counts once. */
const dayTotal = (date: LocalDate, sessions: readonly SleepSession[]): number =>
  sessions
    .filter((session) => session.date === date && session.superseded_by === null)
    .reduce((sum, { total_sleep_s }) => sum + (total_sleep_s ?? 0), 0);

/**
 * The athlete metrics that the main sleep itself gives (§5.0): duration and latency in seconds, efficiency as a
 * fraction. Latency only where bedtime is known. Duration tells in its provenance what the whole day slept.
 */
export const sleepMetrics = (sleep: MainSleep, sessions: readonly SleepSession[], digest: Digest): MetricValue[] => {
  const { session_id, source, start_at, end_at, onset_at, final_wake_at } = sleep;
  const row = (metric: string, unit: string, value: number, more: Record<string, unknown> = {}): MetricValue => ({
    metric,
    source: "derived",
    value,
    unit,
    method: "sleep_session/1",
    input_hash: digest.sha256(
      JSON.stringify([metric, session_id, start_at, end_at, onset_at, final_wake_at, value, more]),
    ),
    provenance: { session_id, source_key: source, ...more },
  });
  const latency = sleep.onset_latency_s;
  return [
    row("sleep_duration", "s", sleep.total_sleep_s, { tst_24h_s: dayTotal(sleep.date, sessions) }),
    row("sleep_efficiency", "fraction", sleep.efficiency),
    ...(latency === null ? [] : [row("sleep_latency", "s", latency)]),
  ];
};
