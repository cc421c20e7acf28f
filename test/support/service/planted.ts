import type { MetricRow, SessionRow, Stored, StreamRow, TopicRecord } from "../audit/stored.ts";

/** Faults planted into what was taken from the stores of two generated weeks; `finds` is what the auditor must say. */
export type Planted = { name: string; finds: string; plant: (stored: Stored) => void };

const some = <T>(items: readonly T[], wanted: (item: T) => boolean, what: string): T => {
  const item = items.find(wanted);
  if (item === undefined) throw new Error(`nothing to plant a fault into: ${what}`);
  return item;
};
const metric = (stored: Stored, name: string): MetricRow =>
  some(stored.metrics, (m) => m.metric === name && m.source !== "manual" && !m.locked, name);
const session = (stored: Stored, wanted: (s: SessionRow) => boolean): SessionRow =>
  some(stored.sessions, wanted, "sleep_sessions");
const main = (stored: Stored): SessionRow => session(stored, (s) => s.is_main_sleep && s["hrv_ms"] !== null);
const stream = (stored: Stored, channel: string): StreamRow => {
  const inside = (r: StreamRow): boolean => {
    const night = stored.sessions.find((s) => s.session_id === r.session_id);
    const [onset, wake] = [Number(night?.["onset_at"]), Number(night?.["final_wake_at"])];
    return r.start_at >= onset && r.end_at <= wake && r.value > 0;
  };
  return some(stored.streamRows, (r) => r.channel === channel && inside(r), `${channel} of a stream`);
};
const told = (stored: Stored): TopicRecord[] => stored.topics.get("sleep-sessions") ?? [];
const without = <T>(items: T[], item: T): void => void items.splice(items.indexOf(item), 1);

const off =
  (name: string, by: number) =>
  (stored: Stored): void => {
    const row = metric(stored, name);
    row.value = (row.value ?? 0) + by;
  };
const sessionOff =
  (column: string, by: number) =>
  (stored: Stored): void => {
    const row = session(stored, (s) => s.is_main_sleep && typeof s[column] === "number");
    Object.assign(row, { [column]: Number(row[column]) + by });
  };

const STALE = ["hrv", "resting_hr", "spo2", "respiratory_rate", "weight", "body_fat", "protein", "water"].map(
  (name): Planted => ({ name: `a stale ${name}`, finds: "I4 stale", plant: off(name, 0.01) }),
);
const HISTORY = ["readiness", "stress", "sleep_score", "skin_temp_deviation"].map((name): Planted => ({
  name: `a stale ${name}`,
  finds: "I4 stale",
  plant: off(name, 1),
}));
const COLUMNS = ["deep_s", "awake_s", "time_in_bed_s", "wakeup_count", "hrv_ms", "avg_hr", "sleep_score", "end_at"].map(
  (column): Planted => ({
    name: `a night with another ${column}`,
    finds: "I4 session differs",
    plant: sessionOff(column, 1),
  }),
);

export const planted: readonly Planted[] = [
  ...STALE,
  ...HISTORY,
  ...COLUMNS,
  {
    name: "a readiness that nobody wrote",
    finds: "I4 missing",
    plant: (stored) => without(stored.metrics, metric(stored, "readiness")),
  },
  {
    name: "a weight in another unit",
    finds: "I4 wrong unit",
    plant: (stored) => Object.assign(metric(stored, "weight"), { unit: "lb" }),
  },
  {
    name: "a value by hand that a sync overwrote",
    finds: "I4 stale",
    plant: (stored) =>
      Object.assign(
        some(stored.metrics, (m) => m.metric === "soreness", "soreness"),
        { value: 5 },
      ),
  },
  {
    name: "a night that is not stored",
    finds: "I4 session missing",
    plant: (stored) => without(stored.sessions, main(stored)),
  },
  {
    name: "a night that nobody slept",
    finds: "I4 session without night",
    plant: (stored) => stored.sessions.push({ ...main(stored), session_id: "00000000-0000-4000-8000-000000000001" }),
  },
  {
    name: "a main sleep called a nap",
    finds: "I4 session differs",
    plant: (stored) => Object.assign(main(stored), { kind: "nap", is_main_sleep: false }),
  },
  {
    name: "a night set aside that names no winner",
    finds: "I4 session differs",
    plant: (stored) =>
      Object.assign(
        session(stored, (s) => s["superseded_by"] !== null),
        { superseded_by: null },
      ),
  },
  {
    name: "a stale part of a score",
    finds: "I4 session differs",
    plant: (stored) => Object.assign(main(stored).score_components ?? {}, { interruptions: 1 }),
  },
  {
    name: "a segment stored as another stage",
    finds: "I2 changed",
    plant: (stored) =>
      Object.assign(
        some(stored.rows, (r) => r.metric === "sleep_analysis" && r.value === 3, "Core"),
        { value: 4 },
      ),
  },
  {
    name: "a closed night without its stream",
    finds: "I4 stream missing",
    plant: (stored) =>
      without(
        stored.sleepPointers,
        some(stored.sleepPointers, () => true, "sleep_streams"),
      ),
  },
  {
    name: "a stream that lacks a heart rate",
    finds: "I4 stream differs",
    plant: (stored) => without(stored.streamRows, stream(stored, "heart_rate")),
  },
  {
    name: "a stream with a breath that nobody took",
    finds: "I4 stream differs",
    plant: (stored) => Object.assign(stream(stored, "respiratory_rate"), { value: 99 }),
  },
  {
    name: "a hypnogram that does not add up",
    finds: "I4 stream differs",
    plant: (stored) => without(stored.streamRows, stream(stored, "sleep_stage")),
  },
  {
    name: "a stream's object that is gone",
    finds: "I6 pointer to nothing",
    plant: (stored) => void stored.objects.delete(stored.sleepPointers[0]?.object_key ?? ""),
  },
  {
    name: "a stream's object with other bytes",
    finds: "I6 different object",
    plant: (stored) =>
      Object.assign(stored.objects.get(stored.sleepPointers[0]?.object_key ?? "") ?? {}, { content_hash: "other" }),
  },
  {
    name: "a stream's object that nothing names",
    finds: "I6 orphan",
    plant: (stored) => stored.listed.push({ key: "sleep_streams/athlete=a_x/month=2026-03/x.parquet", modified_at: 0 }),
  },
  {
    name: "a topic of sessions that lags the table",
    finds: "I6 topic lags",
    plant: (stored) => Object.assign(main(stored), { revision: 0 }),
  },
  {
    name: "a session's score that the topic tells otherwise",
    finds: "I6 topic lags",
    plant: (stored) => {
      for (const { value } of told(stored)) if (value) value["score_components"] = null;
    },
  },
  {
    name: "a removed session without its tombstone",
    finds: "I6 no tombstone",
    plant: (stored) => {
      const record = some(told(stored), ({ value }) => value !== null, "sleep-sessions");
      told(stored).push({ ...record, key: `${record.key ?? ""}0` });
    },
  },
];
