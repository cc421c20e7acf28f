import { type Converted, type DoorSample, ignore, type Place } from "../door.ts";
import { isEntry } from "../read-sample.ts";
import { stageReader } from "../sleep-stage.ts";
import { dateOf, isoOf } from "./dates.ts";
import { type Metric, sourceOf } from "./points.ts";
import { unitOf } from "./names.ts";

const SLEEP = "HKCategoryTypeIdentifierSleepAnalysis";

type Point = Readonly<Record<string, unknown>>;

/** `Asleep` is what older systems call the unspecified kind. */
const stageOf = stageReader({ unspecified: 1 });

const isSegment = (point: Point): boolean => typeof point["value"] === "string" || point["startDate"] !== undefined;

const readSegment = (point: Point, place: Place, into: Converted): void => {
  const [startName, endName] = [point["startDate"] === undefined ? "start" : "startDate", "endDate"];
  into.samples.push({
    entry: {
      uuid: null,
      type: SLEEP,
      start: isoOf(point[startName]),
      end: isoOf(point[endName] ?? point["end"]),
      value: stageOf(point["value"]),
      unit: null,
      source: sourceOf(point),
      metadata: {},
    },
    place: { ...place, names: { start: startName, end: endName, "source.name": "source" } },
  });
};

const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

/**
 * Time asleep as the app gives it: `totalSleep`; before 2024 `asleep`; else the sum of the stages, where `asleep` is
 * what has no stage. Null where nothing but the time in bed is known.
 */
const totalOf = (point: Point): { field: string; value: unknown } | null => {
  if (point["totalSleep"] !== undefined) return { field: "totalSleep", value: point["totalSleep"] };
  const stages = ["core", "deep", "rem"].map((name) => numberOf(point[name])).filter((value) => value !== null);
  const asleep = point["asleep"];
  const sum = stages.reduce((total, value) => total + value, 0);
  if (sum > 0 && (numberOf(asleep) ?? 0) < sum) return { field: "asleep", value: sum + (numberOf(asleep) ?? 0) };
  if (asleep === undefined || asleep === 0)
    return numberOf(point["inBed"]) === null ? { field: "totalSleep", value: asleep } : null;
  return { field: "asleep", value: asleep };
};

type Night = { date: unknown; place: Place; value: unknown; unit: unknown };

/** A night is dated by its waking (§3.2): so the app buckets it, and so says the end where no date is given. */
const readNight = (metric: Metric, point: Point, place: Place, into: Converted): Night | null => {
  const total = totalOf(point);
  if (total === null) {
    ignore(into, "sleep_analysis.inBed");
    return null;
  }
  const dateName = ["date", "sleepEnd", "endDate"].find((name) => point[name] !== undefined) ?? "date";
  const unit = unitOf(metric.units ?? "hr");
  const names = { date: dateName, value: total.field, unit: "^units" };
  return { date: dateOf(point[dateName]), value: total.value, unit, place: { ...place, names } };
};

/** One total a date: of several sources' nights the longest, as one source's gaps are another's sleep. */
const keepLongest = (nights: readonly Night[], into: Converted): void => {
  const byDate = Map.groupBy(nights, (night) => JSON.stringify([night.date, typeof night.value === "number"]));
  for (const same of byDate.values()) {
    const sorted = same.toSorted((a, b) => Number(b.value) - Number(a.value));
    const kept = typeof same[0]?.value === "number" ? sorted.slice(0, 1) : same;
    ignore(into, "sleep_analysis", same.length - kept.length);
    for (const { date, value, unit, place } of kept)
      into.daily.push({ entry: { date, type: SLEEP, value, unit }, place });
  }
};

/** Segments where the export is not aggregated; else the night's total alone, without a session (D21). */
export const readSleep = (metric: Metric, parent: string, into: Converted): void => {
  const nights: Night[] = [];
  for (const [index, point] of metric.data.entries()) {
    const alone = (): unknown => ({ data: { metrics: [{ ...metric, data: [point] }] } });
    const place: Place = { path: `${parent}.data[${index}]`, parent, names: {}, alone };
    if (!isEntry(point)) into.samples.push({ entry: point as DoorSample, place });
    else if (isSegment(point)) readSegment(point, place, into);
    else {
      const night = readNight(metric, point, place, into);
      if (night !== null) nights.push(night);
    }
  }
  keepLongest(nights, into);
};
