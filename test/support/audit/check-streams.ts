import type { FullNight } from "./daily.ts";
import type { Expected } from "./expected-samples.ts";
import { midpoint } from "./resting.ts";
import { sleepOf } from "./night-values.ts";
import type { Stored, StreamRow } from "./stored.ts";
import type { Violation } from "./verdict.ts";

/** Which samples each channel of a sleep_streams object holds (contract §4). */
const CHANNELS = {
  heart_rate: "heart_rate",
  spo2: "spo2",
  respiratory_rate: "respiratory_rate",
  hrv: "hrv_sdnn",
} as const;
const CLOSE = 1e-6;

type Row = Pick<StreamRow, "start_at" | "end_at" | "value">;
const nameOf = ({ start_at, end_at, value }: Row): string => `${start_at}|${end_at}|${value.toPrecision(9)}`;
const counted = (rows: readonly Row[]): Map<string, number> => {
  const out = new Map<string, number>();
  for (const row of rows) out.set(nameOf(row), (out.get(nameOf(row)) ?? 0) + 1);
  return out;
};

/** Every sample of the night stands in its channel once; whatever else stands there is a live sample of these hours. */
const ofVitals = (night: FullNight, samples: readonly Expected[], rows: readonly StreamRow[]): string[] => {
  const span = sleepOf(night);
  const wrong: string[] = [];
  for (const [channel, metric] of Object.entries(CHANNELS)) {
    const live = samples.filter((s) => s.metric === metric && !s.aggregated);
    const inside = span ? live.filter((s) => midpoint(s) >= span.from && midpoint(s) <= span.to) : [];
    const near = counted(live.filter((s) => s.end_at >= night.start_at && s.start_at <= night.end_at));
    const found = counted(rows.filter((r) => r.channel === channel));
    const lost = [...counted(inside)].some(([name, n]) => (found.get(name) ?? 0) < n);
    const foreign = [...found].some(([name, n]) => n > (near.get(name) ?? 0));
    if (lost) wrong.push(`${channel} lacks a sample of the night`);
    if (foreign) wrong.push(`${channel} has a row that is no live sample of these hours`);
  }
  return wrong;
};

/** The hypnogram: stages side by side, and as long as the session's columns say. */
const ofStages = (night: FullNight, rows: readonly StreamRow[]): string[] => {
  const span = sleepOf(night);
  const stages = rows
    .filter((r) => r.channel === "sleep_stage" && r.value >= 1)
    .toSorted((a, b) => a.start_at - b.start_at);
  if (span === null) return stages.length > 0 ? ["a night in bed only has stages"] : [];
  const inside = stages.filter((r) => r.start_at >= span.from && r.end_at <= span.to);
  const seconds = (...values: number[]): number =>
    inside.filter((r) => values.includes(r.value)).reduce((sum, r) => sum + (r.end_at - r.start_at) / 1000, 0);
  const columns = [
    ["total_sleep_s", seconds(1, 3, 4, 5)],
    ["light_s", seconds(3)],
    ["deep_s", seconds(4)],
    ["rem_s", seconds(5)],
    ["unspecified_s", seconds(1)],
    ["awake_s", seconds(2)],
  ] as const;
  const wrong = columns
    .filter(([column, found]) => night[column] !== null && Math.abs(found - night[column]) > CLOSE)
    .map(([column]) => `sleep_stage does not add up to ${column}`);
  const doubled = stages.some((r, i) => r.start_at < (stages[i - 1]?.end_at ?? 0));
  return doubled ? [...wrong, "sleep_stage tells some time twice"] : wrong;
};

/** One object a night of a closed day, with its samples and a hypnogram that agrees with the session. */
export const checkStream = (night: FullNight, samples: readonly Expected[], stored: Stored): Violation[] => {
  const id = `${night.athlete_id} ${night.date} ${night.session_id}`;
  const pointer = stored.sleepPointers.find((p) => p.session_id === night.session_id);
  const window = stored.windows.find((w) => w.athlete_id === night.athlete_id && w.local_date === night.date);
  if (!pointer) {
    const due = window?.closed === true && window.dirty === window.fired;
    return due
      ? [{ kind: "stream missing", id, detail: "the day is closed, no sleep_streams row names the session" }]
      : [];
  }
  if (stored.objects.get(pointer.object_key)?.readable !== true) return [];
  const all = stored.streamRows.filter((r) => r.where === pointer.object_key);
  const rows = all.filter((r) => r.session_id === night.session_id);
  const channels = [...new Set(rows.map((r) => r.channel))].toSorted().join(", ");
  const wrong = [
    ...(rows.length === all.length ? [] : ["it holds another session's rows"]),
    ...(channels === pointer.channels.toSorted().join(", ") ? [] : ["channels are not those of the pointer"]),
    ...ofVitals(night, samples, rows),
    ...ofStages(night, rows),
  ];
  return wrong.map((detail) => ({ kind: "stream differs", id, detail }));
};
