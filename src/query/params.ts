import { METRICS, metricOfKey, type MetricDefinition } from "../domain/catalogue.ts";
import { addDays, DAY, dayEnd, dayStart, isLocalDate, localDate } from "../domain/local-day.ts";
import type { Instant, LocalDate } from "../domain/sample.ts";
import { Problem } from "../flow/route.ts";
import { LENGTHS } from "./buckets.ts";
import type { ZoneAt } from "./zone.ts";

export const RESOLUTIONS = ["raw", "1m", "5m", "15m", "1h", "1d"] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

export const MAX_RAW_DAYS = 400;
export const MAX_DAYS = 1100;
export const MAX_BUCKETS = 50_000;
export const MAX_LIMIT = 50_000;
export const DEFAULT_LIMIT = 10_000;

export const badParameter = (path: string, detail: string): Problem =>
  new Problem(400, `query parameter ${path}: ${detail}`, { errors: [{ path, detail }] });

/** The definition of a metric that is stored as samples; the problem names those that are. */
export const metricParameter = (key: string): MetricDefinition => {
  const metric = metricOfKey(key);
  if (metric) return metric;
  const known = METRICS.map((one) => one.key).join(", ");
  throw badParameter("metric", `there are no samples of "${key.slice(0, 64)}"; known metrics are ${known}`);
};

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/i;

/** Nothing is stored of other times (D5), and neither Postgres nor Date writes the years before 1 as we do. */
export const checkYear = (path: string, text: string): void => {
  if (!/^(?:19|20|21)\d\d-/.test(text)) throw badParameter(path, "lies outside the years 1900 to 2199");
};

/** An unescaped + in a query string arrives as a space. */
const withPlus = (text: string): string => text.replace(/ (\d{2}:?\d{2})$/, "+$1");

const instantOf = (path: string, text: string): Instant => {
  const at = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw badParameter(
    path,
    "write an instant like 2026-11-21T06:00:00Z (with Z or an offset) or a date like 2026-11-21",
  );
};

/** First instant of the local date, by the zone that the athlete is in on that date. */
const midnight = (date: LocalDate, zoneAt: ZoneAt): Instant => dayStart(date, zoneAt(Date.parse(`${date}T12:00:00Z`)));

/**
 * [from, to). A local date as `to` is included whole. Absent: `to` is now, `from` is `defaultSpan` before `to`.
 */
export const rangeParameters = (
  query: { from?: string | undefined; to?: string | undefined },
  now: Instant,
  defaultSpan: number,
  zoneAt: ZoneAt,
): { from: Instant; to: Instant } => {
  const edge = (path: "from" | "to", text: string): Instant => {
    const clean = withPlus(text);
    const at = isLocalDate(clean) ? null : instantOf(path, clean);
    checkYear(path, clean);
    if (at !== null) return at;
    return midnight(path === "to" ? addDays(clean, 1) : clean, zoneAt);
  };
  const to = query.to === undefined ? now : edge("to", query.to);
  const from = query.from === undefined ? to - defaultSpan : edge("from", query.from);
  if (from >= to) {
    throw badParameter(
      "from",
      `must be before to (${new Date(from).toISOString()} is not before ${new Date(to).toISOString()})`,
    );
  }
  return { from, to };
};

/** Refuses ranges that no answer should hold, and says which resolution would do. */
export const checkSpan = (resolution: Resolution, range: { from: Instant; to: Instant }): void => {
  const span = range.to - range.from;
  const days = span / DAY;
  if (resolution === "raw") {
    if (days <= MAX_RAW_DAYS) return;
    throw badParameter(
      "from",
      `raw samples are given for at most ${MAX_RAW_DAYS} days at a time, in pages (limit, then cursor=next); ` +
        "ask for a shorter range, or use resolution=1d",
    );
  }
  if (resolution === "1d") {
    if (days <= MAX_DAYS) return;
    throw badParameter("from", `at most ${MAX_DAYS} days at a time; daily values of any range are at /metrics`);
  }
  if (span / LENGTHS[resolution] <= MAX_BUCKETS && days <= MAX_RAW_DAYS) return;
  const most = Math.min(MAX_RAW_DAYS, Math.floor((MAX_BUCKETS * LENGTHS[resolution]) / DAY));
  throw badParameter("resolution", `${resolution} is given for at most ${most} days at a time; take a coarser one`);
};

/** The local dates that [from, to) touches. */
export const datesOf = (
  range: { from: Instant; to: Instant },
  zoneAt: ZoneAt,
): { first: LocalDate; last: LocalDate } => ({
  first: localDate(range.from, zoneAt(range.from)),
  last: localDate(range.to - 1, zoneAt(range.to - 1)),
});

/** Instants that hold these local dates, whatever zone their samples are in. */
export const spanOfDates = ({
  first,
  last,
}: {
  first: LocalDate;
  last: LocalDate;
}): { from: Instant; to: Instant } => ({
  from: dayStart(first, "+14:00"),
  to: dayEnd(last, "-12:00"),
});

export type Cursor = { start_at: Instant; end_at: Instant; sample_id: string };

/** Where the next page begins, opaque to clients. */
export const encodeCursor = ({ start_at, end_at, sample_id }: Cursor): string =>
  Buffer.from(JSON.stringify([start_at, end_at, sample_id])).toString("base64url");

const badCursor = (): Problem => badParameter("cursor", "is not one that was given as next; start again without it");

export const cursorParameter = (text: string): Cursor => {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    throw badCursor();
  }
  if (!Array.isArray(parts)) throw badCursor();
  const [start_at, end_at, sample_id] = parts as unknown[];
  if (!Number.isFinite(start_at) || !Number.isFinite(end_at) || typeof sample_id !== "string") throw badCursor();
  return { start_at: start_at as number, end_at: end_at as number, sample_id };
};
