import { midnightAfter } from "../../domain/local-day.ts";
import type { Converted, DoorSample, Place } from "../door.ts";
import { ignore } from "../door.ts";
import { isEntry } from "../read-sample.ts";
import { parseInstant } from "../time-text.ts";
import { isoOf, offsetOf } from "./dates.ts";
import { typeOfName, unitOf } from "./names.ts";

export type Metric = { name: string; units?: string | null; data: readonly unknown[] };

/** What the export says of its windows: `null` is nothing. Weeks and longer are refused as too long for a sample. */
export type Aggregation = "none" | "second" | "minute" | "hour" | "day" | "week" | "month" | "year";

/** How the request is to be read. */
export type Reading = { aggregation: Aggregation | null; time_zone: string | null };

type Point = Readonly<Record<string, unknown>>;

const SECONDS: Readonly<Record<Exclude<Aggregation, "none" | "day">, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  week: 7 * 86_400,
  month: 31 * 86_400,
  year: 366 * 86_400,
};

/** Devices merged by the app ("Watch|iPhone") in one order, so that the same window has the same source. */
export const sourceOf = (point: Point): Record<string, unknown> => {
  const sent = point["source"];
  if (typeof sent !== "string") return { name: sent ?? null };
  if (!sent.includes("|")) return { name: sent };
  const names = sent.split("|").map((name) => name.trim());
  return { name: [...new Set(names.filter((name) => name !== ""))].toSorted().join("|") };
};

/** Where a point's aggregation ends, else its start (D10): a day at the next midnight, which is not always 24 h away. */
const endOf = (start: unknown, reading: Reading): unknown => {
  const at = parseInstant(start);
  const { aggregation } = reading;
  if (at === undefined || aggregation === null || aggregation === "none") return start;
  const end =
    aggregation === "day"
      ? midnightAfter(at, reading.time_zone ?? offsetOf(start) ?? "UTC")
      : at + SECONDS[aggregation] * 1000;
  return new Date(end).toISOString();
};

const timesOf = (point: Point, reading: Reading): { start: unknown; end: unknown; names: Record<string, string> } => {
  const startName = ["date", "startDate", "start"].find((name) => point[name] !== undefined) ?? "date";
  const endName = ["endDate", "end"].find((name) => point[name] !== undefined);
  const start = isoOf(point[startName]);
  const end = endName === undefined ? endOf(start, reading) : isoOf(point[endName]);
  return { start, end, names: { start: startName, end: endName ?? startName } };
};

/** What a point says besides its figures, as sent: when a meal was, why insulin was given. */
const NOTES = ["mealTime", "reason"] as const;

const notesOf = (point: Point): Record<string, unknown> =>
  Object.fromEntries(NOTES.flatMap((name) => (point[name] === undefined ? [] : [[name, point[name]]])));

type Figure = { type: string; value: unknown; field: string; min?: unknown; max?: unknown };

const PRESSURES = [
  ["systolic", "HKQuantityTypeIdentifierBloodPressureSystolic"],
  ["diastolic", "HKQuantityTypeIdentifierBloodPressureDiastolic"],
] as const;

/** The samples that a point holds: two of a blood pressure, else one, its mean where it was summarised. */
const figuresOf = (name: string, point: Point): Figure[] => {
  if (/^blood[ _]pressure$/i.test(name))
    return PRESSURES.map(([field, type]) => ({ type, value: point[field], field }));
  const field = ["qty", "Avg", "avg"].find((candidate) => point[candidate] !== undefined) ?? "qty";
  const [min, max] = [point["Min"] ?? point["min"], point["Max"] ?? point["max"]];
  // A name that is none stays as it was sent: its points are refused, each on its own.
  return [{ type: typeOfName(name) ?? name, value: point[field], field, min, max }];
};

const MINDFUL = "HKCategoryTypeIdentifierMindfulSession";
const MINUTES: Readonly<Record<string, number>> = { min: 1, hr: 60, s: 1 / 60 };

/** HealthKit's mindful session is nothing but its interval; the app sends how long it was. */
const asSession = (entry: DoorSample): void => {
  const start = parseInstant(entry.start);
  const minutes = Number(entry.value) * (MINUTES[String(entry.unit)] ?? NaN);
  if (start !== undefined && entry.end === entry.start && minutes >= 0 && minutes < 10_000) {
    entry.end = new Date(start + minutes * 60_000).toISOString();
  }
  entry.value = null;
  entry.unit = null;
};

type Named = { entry: DoorSample; names: Record<string, string> };

const sampleOf = (metric: Metric, point: Point, figure: Figure, reading: Reading): Named => {
  const { start, end, names } = timesOf(point, reading);
  const entry: DoorSample = {
    uuid: null,
    aggregated: reading.aggregation !== "none",
    type: figure.type,
    start,
    end,
    value: figure.value,
    min: figure.min,
    max: figure.max,
    unit: unitOf(metric.units),
    source: sourceOf(point),
    metadata: notesOf(point),
  };
  if (figure.type === MINDFUL) asSession(entry);
  return { entry, names: { ...names, value: figure.field, type: "^name", unit: "^units", "source.name": "source" } };
};

const HOURS_STOOD = "HKCategoryTypeIdentifierAppleStandHour";

/** One metric's points (§7.2), each an aggregate unless the export says that it sends single samples. */
export const readPoints = (metric: Metric, parent: string, reading: Reading, into: Converted): void => {
  if (typeOfName(metric.name) === HOURS_STOOD) {
    ignore(into, metric.name, metric.data.length);
    return;
  }
  for (const [index, point] of metric.data.entries()) {
    const place: Place = {
      path: `${parent}.data[${index}]`,
      parent,
      names: {},
      alone: () => ({ data: { metrics: [{ ...metric, data: [point] }] } }),
    };
    if (!isEntry(point)) {
      into.samples.push({ entry: point as DoorSample, place });
      continue;
    }
    for (const figure of figuresOf(metric.name, point)) {
      const { entry, names } = sampleOf(metric, point, figure, reading);
      into.samples.push({ entry, place: { ...place, names } });
    }
  }
};
