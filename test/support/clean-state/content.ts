import type { LedgerLine, LedgerSample } from "../audit/ledger.ts";
import { NAMESPACE, nameUuid } from "../audit/identity.ts";

/**
 * One athlete in Amsterdam, worked out by hand: two closed days in objects, today's rows in staging, one deleted sample,
 * one refused, a locked value and a provider's total.
 */
export const ATHLETE = "audited-1";
export const BATCH = "batch-1";
export const DAYS = ["2026-11-10", "2026-11-11"] as const;
export const TODAY = "2026-11-12";
export const LOCKED = 12_345;
/** 100 of the Watch, and the half of the phone's 80 that the Watch does not cover. */
export const STEPS = 140;
/** Six bins of five minutes at 50, all others at 60. */
export const RESTING = 50;
export const TOTAL = 11_000;
export const REFUSED_PATH = "samples[0].value";

export type CleanRow = {
  sample_id: string;
  metric: string;
  start_at: number;
  end_at: number;
  value: number;
  unit: string;
  source: string;
  local_date: string;
};

const WATCH = { name: "Athlete’s Apple Watch", bundle_id: "com.apple.health.W", product_type: "Watch7,5" };
const PHONE = { name: "Athlete’s iPhone", bundle_id: "com.apple.health.P", product_type: "iPhone17,1" };
const MINUTE = 60_000;
const idOf = (name: string): string => nameUuid(NAMESPACE, `clean/${name}`);
/** Amsterdam in November is one hour ahead. */
const at = (date: string, hour: number, minute: number): number =>
  Date.parse(`${date}T00:00:00+01:00`) + (hour * 60 + minute) * MINUTE;

type Span = { name: string; metric: "heart_rate" | "steps"; start: number; end: number; value: number };

const dayOf = (date: string): (Span & { source: typeof WATCH })[] => {
  const hearts = Array.from({ length: 84 }, (_, i) => ({
    name: `${date}/hr/${i}`,
    metric: "heart_rate" as const,
    start: at(date, 0, 5 * i),
    end: at(date, 0, 5 * i),
    value: i >= 20 && i < 26 ? 50 : 60,
    source: WATCH,
  }));
  const walk = { metric: "steps" as const, start: at(date, 10, 0), end: at(date, 10, 10) };
  return [
    ...hearts,
    { ...walk, name: `${date}/watch`, value: 100, source: WATCH },
    { ...walk, name: `${date}/phone`, start: at(date, 10, 5), end: at(date, 10, 15), value: 80, source: PHONE },
  ];
};

const TYPES = { heart_rate: "HKQuantityTypeIdentifierHeartRate", steps: "HKQuantityTypeIdentifierStepCount" };
const UNITS = { heart_rate: "count/min", steps: "count" };

const lineOf = (span: Span & { source: typeof WATCH }, index: number): LedgerSample => ({
  kind: "sample",
  athlete_id: ATHLETE,
  batch_id: BATCH,
  index,
  sample_id: idOf(span.name),
  type: TYPES[span.metric],
  start: span.start,
  end: span.end,
  value: span.value,
  unit: UNITS[span.metric],
  source: span.source,
  batch_time_zone: "Europe/Amsterdam",
  fate: "accepted",
});

const spans = [...DAYS, TODAY].flatMap(dayOf);
export const DELETED_ID = idOf("deleted");
const DELETED: Span & { source: typeof WATCH } = {
  name: "deleted",
  metric: "steps",
  start: at(DAYS[0], 12, 0),
  end: at(DAYS[0], 12, 1),
  value: 70,
  source: WATCH,
};

export const ACCEPTED = spans.length + 1;

export const ledgerLines: LedgerLine[] = [
  {
    ...lineOf({ ...DELETED, name: "refused", value: 90_000 }, 0),
    fate: "rejected",
    reason: "out_of_range",
    path: REFUSED_PATH,
  },
  ...spans.map((span, i) => lineOf(span, i + 1)),
  lineOf(DELETED, spans.length + 1),
  { kind: "deletion", athlete_id: ATHLETE, batch_id: BATCH, index: 0, sample_id: DELETED_ID, fate: "accepted" },
  {
    kind: "daily",
    athlete_id: ATHLETE,
    batch_id: BATCH,
    index: 0,
    date: DAYS[1],
    type: TYPES.steps,
    value: TOTAL,
    unit: "count",
    fate: "accepted",
  },
  { kind: "lock", athlete_id: ATHLETE, date: DAYS[0], metric: "steps", source: "derived", value: LOCKED },
];

const rowOf = (span: Span & { source: typeof WATCH }, local_date: string): CleanRow => ({
  sample_id: idOf(span.name),
  metric: span.metric,
  start_at: span.start,
  end_at: span.end,
  value: span.value,
  unit: UNITS[span.metric],
  source: span.source.name.replaceAll("’", "'"),
  local_date,
});

export const rowsOf = (date: string): CleanRow[] => dayOf(date).map((span) => rowOf(span, date));
export const deletedRow = rowOf(DELETED, DAYS[0]);

export type CleanMetric = {
  date: string;
  metric: string;
  source: string;
  value: number;
  unit: string;
  locked: boolean;
  synced_value: number | null;
};

const metricRow = (date: string, metric: string, value: number): CleanMetric => ({
  date,
  metric,
  source: "derived",
  value,
  unit: metric === "steps" ? "count" : "count/min",
  locked: false,
  synced_value: null,
});

export const metricRows: CleanMetric[] = [
  { ...metricRow(DAYS[0], "steps", LOCKED), locked: true, synced_value: STEPS },
  metricRow(DAYS[1], "steps", STEPS),
  metricRow(TODAY, "steps", STEPS),
  { ...metricRow(DAYS[1], "steps", TOTAL), source: "apple_health" },
  ...[...DAYS, TODAY].map((date) => metricRow(date, "resting_hr", RESTING)),
];
