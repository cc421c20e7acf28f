import type { Expectation } from "./expected-live.ts";
import type { Expected } from "./expected-samples.ts";
import type { Stored, StoredRow } from "./stored.ts";
import type { Verdict, Violation } from "./verdict.ts";

const FIELDS = ["metric", "start_at", "end_at", "value", "unit", "source", "tz"] as const;

/** The factors of the specification have six digits. */
const sameValue = (found: number, { value, exact }: Expected): boolean =>
  exact ? found === value : Math.abs(found - value) <= 1e-6 * Math.max(Math.abs(value), 1e-9);

const different = (row: StoredRow, expected: Expected): Violation | undefined => {
  const id = `${row.athlete_id} ${row.sample_id}`;
  const wrong = FIELDS.filter((field) =>
    field === "value" ? !sameValue(row.value, expected) : row[field] !== expected[field],
  );
  if (wrong.length === 0) return undefined;
  return {
    kind: "changed",
    id,
    detail: `${wrong.join(", ")} in ${row.where} not as sent`,
    values: wrong.map((f) => `${f}: ${String(row[f])} ≠ ${String(expected[f])}`).join("; "),
  };
};

/** A row's date, and the day of the object it stands in, must be the local date of its start (D3). */
const moved = (row: StoredRow, expected: Expected, periods: Map<string, { from: string; to: string }>): Violation[] => {
  const id = `${row.athlete_id} ${row.sample_id}`;
  const out: Violation[] = [];
  if (row.local_date !== expected.local_date) {
    out.push({
      kind: "moved",
      id,
      detail: `dated ${row.local_date} in ${row.where}, belongs to ${expected.local_date}`,
    });
  }
  const period = periods.get(row.where);
  if (period && (expected.local_date < period.from || expected.local_date > period.to)) {
    out.push({ kind: "moved", id, detail: `in ${row.where}, belongs to ${expected.local_date}` });
  }
  return out;
};

const leftBehind = (row: StoredRow, closed: Set<string>): Violation[] =>
  row.where === "staging" && closed.has(`${row.athlete_id}|${row.local_date}`)
    ? [
        {
          kind: "left in staging",
          id: `${row.athlete_id} ${row.sample_id}`,
          detail: `the window of ${row.local_date} closed and fired`,
        },
      ]
    : [];

const ofOneId = (rows: readonly StoredRow[], id: string, expectation: Expectation): Violation[] => {
  const name = id.replace("|", " ");
  const where = rows.map((r) => r.where).join(", ");
  const gone = expectation.gone.get(id);
  if (!expectation.live.has(id)) {
    const kind = gone ? "resurrected" : "not sent";
    return [{ kind, id: name, detail: gone ? `${gone}, yet in ${where}` : `in ${where}, but no ledger line names it` }];
  }
  return rows.length > 1 ? [{ kind: "doubled", id: name, detail: `${rows.length} times: ${where}` }] : [];
};

/**
 * I2: every acknowledged live sample is stored exactly once, as it was sent and under its day; deleted ones nowhere;
 * nothing that was not sent. The state must be quiet: then once means physically once.
 */
export const checkSamples = (expectation: Expectation, stored: Stored): Verdict => {
  const violations: Violation[] = [];
  const periods = new Map(stored.pointers.map((p) => [p.object_key, { from: p.period_start, to: p.period_end }]));
  const closed = new Set(
    stored.windows.filter((w) => w.closed && w.dirty === w.fired).map((w) => `${w.athlete_id}|${w.local_date}`),
  );
  const byId = new Map<string, StoredRow[]>();
  for (const row of stored.rows) {
    const id = `${row.athlete_id}|${row.sample_id}`;
    const group = byId.get(id);
    if (group) group.push(row);
    else byId.set(id, [row]);
    const expected = expectation.live.get(id);
    if (!expected) continue;
    const change = different(row, expected);
    if (change) violations.push(change);
    violations.push(...moved(row, expected, periods), ...leftBehind(row, closed));
  }
  for (const [id, rows] of byId) violations.push(...ofOneId(rows, id, expectation));
  for (const id of expectation.live.keys()) {
    if (byId.has(id)) continue;
    violations.push({ kind: "lost", id: id.replace("|", " "), detail: "acknowledged and live, but stored nowhere" });
  }
  for (const w of stored.windows.filter((w) => w.dirty > w.fired)) {
    violations.push({ kind: "not quiet", id: `${w.athlete_id} ${w.local_date}`, detail: "dirty > fired: wait first" });
  }
  return {
    invariant: "I2",
    checked: {
      "acknowledged samples": expectation.live.size + expectation.gone.size,
      "live samples": expectation.live.size,
      "deleted ids": expectation.gone.size,
      "stored rows": stored.rows.length,
    },
    violations,
  };
};
