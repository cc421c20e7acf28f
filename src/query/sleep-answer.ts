import { Type } from "typebox";
import { metricOfKey } from "../domain/catalogue.ts";
import type { StreamChannel, StreamRow } from "../domain/sleep/streams.ts";
import { iso } from "./samples-answer.ts";
import { SESSION_COLUMNS, type StoredSession } from "./sleep-sql.ts";

/** Names of the category values (healthkit.md §2), by number. */
const STAGES = ["in_bed", "asleep", "awake", "core", "deep", "rem"] as const;

const CHANNELS: readonly { channel: StreamChannel; metric: string }[] = [
  { channel: "heart_rate", metric: "heart_rate" },
  { channel: "hrv", metric: "hrv_sdnn" },
  { channel: "respiratory_rate", metric: "respiratory_rate" },
  { channel: "spo2", metric: "spo2" },
];

const INSTANTS = new Set<string>(["start_at", "end_at", "onset_at", "final_wake_at", "updated_at"]);

const figure = (description: string) => Type.Union([Type.Number(), Type.Null()], { description });
const instant = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

/** Null means unknown, never zero. */
export const sessionSchema = Type.Object({
  session_id: Type.String(),
  date: Type.String({ description: "Local date of the final wake" }),
  source: Type.String({ description: "Who tells the stages; `pooled` for a night of which only the bed is known" }),
  kind: Type.String({ description: "main, nap, secondary or in_bed_only" }),
  is_main_sleep: Type.Boolean(),
  start_at: Type.String({ description: "Bedtime" }),
  end_at: Type.String({ description: "Rise" }),
  onset_at: instant("Sleep onset"),
  final_wake_at: instant("Final wake"),
  tz: Type.String(),
  time_in_bed_s: figure("Seconds"),
  total_sleep_s: figure("Seconds asleep"),
  deep_s: figure("Seconds"),
  rem_s: figure("Seconds"),
  light_s: figure("Seconds; HealthKit's Core"),
  awake_s: figure("Seconds awake between onset and final wake"),
  unspecified_s: figure("Seconds asleep without a stage, in a night with stages"),
  gap_s: figure("Seconds between onset and final wake of which nothing is known"),
  onset_latency_s: figure("Seconds from bedtime to onset"),
  wakeup_count: figure("Times awake for at least 5 minutes"),
  efficiency: figure("Sleep in time in bed, 0 to 1"),
  sleep_score: figure("0 to 100, by `score_method`"),
  score_components: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  score_method: Type.Union([Type.String(), Type.Null()]),
  hrv_ms: figure("Median SDNN, ms"),
  resting_hr: figure("count/min"),
  avg_hr: figure("count/min"),
  min_hr: figure("count/min"),
  respiratory_rate: figure("count/min"),
  spo2: figure("Mean, 0 to 1"),
  spo2_min: figure("Least, 0 to 1"),
  superseded_by: Type.Union([Type.String(), Type.Null()], { description: "The session of another source that counts" }),
  is_final: Type.Boolean({ description: "Whether its day has closed" }),
  revision: Type.Integer(),
  updated_at: Type.String(),
});

export const sessionsSchema = Type.Object({ athlete_id: Type.String(), sessions: Type.Array(sessionSchema) });

export const nightSchema = Type.Object({
  athlete_id: Type.String(),
  session: sessionSchema,
  hypnogram: Type.Array(
    Type.Object({
      start_at: Type.String(),
      end_at: Type.String(),
      stage: Type.String({ description: STAGES.join(", ") }),
      source: Type.String(),
    }),
    { description: "Each instant once, ascending" },
  ),
  streams: Type.Array(
    Type.Object({
      channel: Type.String({ description: CHANNELS.map(({ channel }) => channel).join(", ") }),
      unit: Type.String(),
      points: Type.Array(Type.Array(Type.Unknown()), { description: "[start, end, value, source], ascending" }),
    }),
  ),
});

/** A stored session as readers see it: columns of the contract, instants as text. */
export const sessionAnswer = (session: StoredSession): Record<string, unknown> => {
  const cell = (name: (typeof SESSION_COLUMNS)[number]): unknown => {
    const value = session[name];
    return INSTANTS.has(name) && typeof value === "number" ? iso(value) : value;
  };
  return Object.fromEntries(SESSION_COLUMNS.map((name) => [name, cell(name)]));
};

/** The rows of a session's streams as a hypnogram and channels; channels without rows are left out. */
export const streamsAnswer = (rows: readonly StreamRow[]): Record<"hypnogram" | "streams", unknown[]> => {
  const byChannel = Map.groupBy(rows, ({ channel }) => channel);
  return {
    hypnogram: (byChannel.get("sleep_stage") ?? []).map(({ start_at, end_at, value, source }) => ({
      start_at: iso(start_at),
      end_at: iso(end_at),
      stage: STAGES[value] ?? String(value),
      source,
    })),
    streams: CHANNELS.flatMap(({ channel, metric }) => {
      const own = byChannel.get(channel);
      if (own === undefined) return [];
      const points = own.map(({ start_at, end_at, value, source }) => [iso(start_at), iso(end_at), value, source]);
      return [{ channel, unit: metricOfKey(metric)?.unit ?? "", points }];
    }),
  };
};
