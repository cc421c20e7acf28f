import type { Expectation } from "./expected-live.ts";
import type { Expected } from "./expected-samples.ts";
import type { Ledger } from "./ledger.ts";
import { restingRates } from "./resting.ts";
import { mergedSteps } from "./steps.ts";
import type { MetricRow, Stored } from "./stored.ts";
import type { Verdict, Violation } from "./verdict.ts";

type Due = { value: number; unit: string; whole: boolean };
const CLOSE = 1e-6;

const agrees = (found: number | null, due: Due): boolean => {
  if (found === null) return false;
  if (!due.whole) return Math.abs(found - due.value) <= CLOSE * Math.max(1, Math.abs(due.value));
  // Half up; a sum that is a hair off a half may fall either way.
  return [due.value - CLOSE, due.value, due.value + CLOSE].some((v) => Math.floor(v + 0.5) === found);
};

const ofAthlete = (athleteId: string, samples: readonly Expected[], ledger: Ledger): Map<string, Due> => {
  const due = new Map<string, Due>();
  const steps = samples.filter((s) => s.metric === "steps");
  const hearts = samples.filter((s) => s.metric === "heart_rate");
  const orders = ledger.settings.get(athleteId)?.source_order ?? {};
  for (const [date, value] of mergedSteps(steps, orders["steps"] ?? orders["*"] ?? [])) {
    due.set(`${athleteId}|${date}|steps|derived`, { value, unit: "count", whole: true });
  }
  for (const [date, value] of restingRates(hearts, steps)) {
    due.set(`${athleteId}|${date}|resting_hr|derived`, { value, unit: "count/min", whole: false });
  }
  return due;
};

/** Every value that must stand, recomputed from the ledger's live samples and daily totals alone. */
const recomputed = (ledger: Ledger, expectation: Expectation): Map<string, Due> => {
  const athletes = new Map<string, Expected[]>();
  for (const sample of expectation.live.values()) {
    const own = athletes.get(sample.athlete_id);
    if (own) own.push(sample);
    else athletes.set(sample.athlete_id, [sample]);
  }
  const due = new Map<string, Due>();
  for (const [athleteId, samples] of athletes) {
    for (const [key, value] of ofAthlete(athleteId, samples, ledger)) due.set(key, value);
  }
  // Totals in the order sent: the one received last stands.
  for (const total of ledger.daily.filter((d) => d.fate === "accepted" && d.type.endsWith("StepCount"))) {
    due.set(`${total.athlete_id}|${total.date}|steps|apple_health`, {
      value: total.value,
      unit: "count",
      whole: false,
    });
  }
  return due;
};

const keyOf = (row: Pick<MetricRow, "athlete_id" | "date" | "metric" | "source">): string =>
  [row.athlete_id, row.date, row.metric, row.source].join("|");

const ofRow = (row: MetricRow, due: Due | undefined): Violation[] => {
  const id = keyOf(row);
  // A lock keeps a person's value; what a sync would have written stands beside it.
  const synced = row.locked ? row.synced_value : row.value;
  if (due === undefined) {
    const kept = row.source === "manual" || (row.locked && row.synced_value === null);
    return kept ? [] : [{ kind: "stale", id, detail: "no sample or total asks for this row" }];
  }
  const out: Violation[] = [];
  if (!agrees(synced, due)) {
    const detail = `${row.locked ? "synced_value" : "value"} is not what the samples give`;
    out.push({ kind: "stale", id, detail, values: `${synced} ≠ ${due.value}` });
  }
  if (row.unit !== due.unit) out.push({ kind: "wrong unit", id, detail: `${row.unit}, not ${due.unit}` });
  return out;
};

/** I4: athlete_metrics equals an independent recomputation from the samples, no row more and no row less. */
export const checkMetrics = (ledger: Ledger, expectation: Expectation, stored: Stored): Verdict => {
  const due = recomputed(ledger, expectation);
  const found = new Set(stored.metrics.map(keyOf));
  const violations = stored.metrics.flatMap((row) => ofRow(row, due.get(keyOf(row))));
  for (const key of due.keys()) {
    if (!found.has(key))
      violations.push({ kind: "missing", id: key, detail: "the samples give a value, no row has it" });
  }
  return {
    invariant: "I4",
    checked: { "metrics recomputed": due.size, "metric rows": stored.metrics.length },
    violations,
  };
};

/** I7: a locked value is the one that the person's last edit left; nothing is locked that nobody locked. */
export const checkLocks = (ledger: Ledger, stored: Stored): Verdict => {
  const hands = new Map(ledger.locks.map((lock) => [keyOf(lock), lock]));
  const rows = new Map(stored.metrics.map((row) => [keyOf(row), row]));
  const violations: Violation[] = [];
  for (const [id, lock] of hands) {
    const row = rows.get(id);
    if (lock.kind === "unlock") {
      if (row?.locked) violations.push({ kind: "still locked", id, detail: "unlocked by its last edit" });
    } else if (!row?.locked) {
      violations.push({ kind: "overwritten", id, detail: row ? "no longer locked" : "the locked row is gone" });
    } else if (row.value !== (lock.value ?? null)) {
      const values = `${row.value} ≠ ${lock.value}`;
      violations.push({ kind: "overwritten", id, detail: "the value is not the one that was locked", values });
    }
  }
  const locked = stored.metrics.filter((row) => row.locked);
  for (const row of locked) {
    if (!hands.has(keyOf(row)))
      violations.push({ kind: "locked by nobody", id: keyOf(row), detail: "not in the ledger" });
  }
  return { invariant: "I7", checked: { "locks in the ledger": hands.size, "locked rows": locked.length }, violations };
};
