import type { Asked, FullNight } from "./daily.ts";
import type { Expectation } from "./expected-live.ts";
import type { SessionRow, Stored } from "./stored.ts";
import { checkStream } from "./check-streams.ts";
import type { Verdict, Violation } from "./verdict.ts";

/** Columns of sleep_sessions that the samples decide. */
const COLUMNS = [
  "athlete_id",
  "date",
  "source",
  "kind",
  "is_main_sleep",
  "start_at",
  "end_at",
  "tz",
  "onset_at",
  "final_wake_at",
  "time_in_bed_s",
  "total_sleep_s",
  "deep_s",
  "rem_s",
  "light_s",
  "unspecified_s",
  "awake_s",
  "gap_s",
  "onset_latency_s",
  "wakeup_count",
  "efficiency",
  "hrv_ms",
  "resting_hr",
  "avg_hr",
  "min_hr",
  "respiratory_rate",
  "spo2",
  "spo2_min",
  "superseded_by",
] as const satisfies readonly (keyof FullNight)[];

/** Durations and values by a millionth; instants, which are larger, to the millisecond. */
const EXACT = 1e9;
const same = (found: unknown, due: unknown): boolean =>
  typeof found === "number" && typeof due === "number" && Math.abs(due) < EXACT
    ? Math.abs(found - due) <= 1e-6 * Math.max(1, Math.abs(due))
    : (found ?? null) === due;

const ofRow = (row: SessionRow, due: FullNight): Violation[] => {
  const id = `${row.athlete_id} ${row.date} ${row.session_id}`;
  const wrong: [string, unknown, unknown][] = COLUMNS.filter((c) => !same(row[c], due[c])).map((c) => [
    c,
    row[c],
    due[c],
  ]);
  if (!same(row["sleep_score"], due.score?.score ?? null))
    wrong.push(["sleep_score", row["sleep_score"], due.score?.score ?? null]);
  for (const part of ["duration", "bedtime", "interruptions"] as const) {
    const found = row.score_components?.[part] ?? null;
    if (!same(found, due.score?.[part] ?? null)) wrong.push([part, found, due.score?.[part] ?? null]);
  }
  if (wrong.length === 0) return [];
  const values = wrong.map(([name, found, asked]) => `${name}: ${String(found)} ≠ ${String(asked)}`).join("; ");
  const detail = `${wrong.map(([name]) => name).join(", ")} not what the samples give`;
  return [{ kind: "session differs", id, detail, values }];
};

/** I4: sleep_sessions equals an independent assembly from the live samples, and each stream is its session's. */
export const checkSessions = (
  asked: ReadonlyMap<string, Asked>,
  { live }: Expectation,
  stored: Stored,
): Pick<Verdict, "checked" | "violations"> => {
  const due = new Map([...asked.values()].flatMap(({ nights }) => nights.map((night) => [night.session_id, night])));
  const found = new Map(stored.sessions.map((row) => [row.session_id, row]));
  const violations: Violation[] = [];
  for (const row of stored.sessions) {
    const night = due.get(row.session_id);
    const id = `${row.athlete_id} ${row.date} ${row.session_id}`;
    if (night) violations.push(...ofRow(row, night));
    else violations.push({ kind: "session without night", id, detail: "no samples give this session" });
  }
  for (const night of due.values()) {
    const id = `${night.athlete_id} ${night.date} ${night.session_id}`;
    if (!found.has(night.session_id))
      violations.push({ kind: "session missing", id, detail: `the samples give a ${night.kind} of ${night.source}` });
  }
  const samples = Map.groupBy(live.values(), (s) => s.athlete_id);
  for (const night of due.values()) violations.push(...checkStream(night, samples.get(night.athlete_id) ?? [], stored));
  for (const pointer of stored.sleepPointers.filter((p) => !due.has(p.session_id)))
    violations.push({ kind: "stream without night", id: pointer.session_id, detail: pointer.object_key });
  return { checked: { "sessions recomputed": due.size, "session rows": stored.sessions.length }, violations };
};
