import type { Asked, Due } from "./daily.ts";
import type { ReceivedAt } from "./expected-live.ts";
import type { Ledger, LedgerDaily } from "./ledger.ts";
import type { MetricRow, Stored } from "./stored.ts";
import { DAILY_NAMES, typeOf, valueOf } from "./types.ts";
import type { Factors } from "./units.ts";
import type { Verdict, Violation } from "./verdict.ts";

const CLOSE = 1e-6;

const agrees = (found: number | null, due: Due): boolean => {
  if (found === null) return false;
  if (!due.whole) return Math.abs(found - due.value) <= CLOSE * Math.max(1, Math.abs(due.value));
  // Half up; a sum that is a hair off a half may fall either way.
  return [due.value - CLOSE, due.value, due.value + CLOSE].some((v) => Math.floor(v + 0.5) === found);
};

const SPANS: Factors = { s: 1, min: 60, hr: 3600 };

/** A provider's total as the athlete metric that it is (§5.0): name and unit as the rules that compute it have them. */
const totalOf = (total: LedgerDaily): { metric: string; due: Due } => {
  const type = typeOf(total.type);
  const named = { unit: total.unit, start_at: 0, end_at: 0, metadata: {} };
  if (type?.metric === "sleep_analysis") {
    const value = total.value * (SPANS[total.unit] ?? Number.NaN);
    return { metric: "sleep_duration", due: { value, unit: "s", whole: false } };
  }
  const value =
    type?.metric === "mindful_session"
      ? (total.value * (SPANS[total.unit] ?? Number.NaN)) / 60
      : type && valueOf(type, { ...named, value: total.value });
  if (!type || value === undefined) throw new Error(`the auditor knows no rule for totals of ${total.type}`);
  return { metric: DAILY_NAMES[type.metric] ?? type.metric, due: { value, unit: type.unit, whole: false } };
};

/** Every value that must stand: what the samples ask for, the providers' totals, what people entered. */
const recomputed = (ledger: Ledger, asked: ReadonlyMap<string, Asked>, receivedAt: ReceivedAt): Map<string, Due> => {
  const due = new Map<string, Due>();
  for (const [athleteId, { due: own }] of asked) for (const [key, value] of own) due.set(`${athleteId}|${key}`, value);
  // The one received last stands; of one moment the one sent last.
  const totals = ledger.daily
    .filter((d) => d.fate === "accepted")
    .toSorted((a, b) => receivedAt(a.athlete_id, a.batch_id) - receivedAt(b.athlete_id, b.batch_id));
  for (const total of totals) {
    const { metric, due: value } = totalOf(total);
    due.set(`${total.athlete_id}|${total.date}|${metric}|apple_health`, value);
  }
  for (const { athlete_id, date, metric, value, unit } of ledger.manual)
    due.set(`${athlete_id}|${date}|${metric}|manual`, { value, unit, whole: false });
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
export const checkMetrics = (
  ledger: Ledger,
  asked: ReadonlyMap<string, Asked>,
  stored: Stored,
  receivedAt: ReceivedAt,
): Verdict => {
  const due = recomputed(ledger, asked, receivedAt);
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
