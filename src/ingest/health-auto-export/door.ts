import { Type } from "typebox";
import { type Converted, ignore, nothing } from "../door.ts";
import { parseInstant } from "../time-text.ts";
import { offsetOf } from "./dates.ts";
import { readStatesOfMind, readWorkouts } from "./events.ts";
import { typeOfName } from "./names.ts";
import { type Aggregation, type Metric, readPoints, type Reading } from "./points.ts";
import { readSleep } from "./sleep.ts";

const lists = Type.Optional(Type.Array(Type.Unknown()));

/** The envelope; points are checked one by one. */
export const healthAutoExportSchema = Type.Object(
  {
    data: Type.Object({
      metrics: Type.Optional(
        Type.Array(
          Type.Object({
            name: Type.String(),
            units: Type.Optional(Type.Union([Type.String(), Type.Null()])),
            data: Type.Array(Type.Unknown()),
          }),
        ),
      ),
      workouts: lists,
      stateOfMind: lists,
    }),
  },
  {
    examples: [
      {
        data: {
          metrics: [
            {
              name: "step_count",
              units: "count",
              data: [{ date: "2026-11-20 00:00:00 +0100", qty: 8421, source: "Apple Watch|iPhone" }],
            },
          ],
        },
      },
    ],
  },
);

export type HealthAutoExportBody = {
  data: { metrics?: Metric[]; workouts?: unknown[]; stateOfMind?: unknown[] } & Record<string, unknown>;
};

/** Documented by the app and of no use to us: counted by name. */
const UNUSED = ["medications", "symptoms", "cycleTracking", "ecg", "heartRateNotifications"] as const;
const USED = new Set<string>(["metrics", "workouts", "stateOfMind", ...UNUSED]);

const AGGREGATIONS: readonly [RegExp, Aggregation][] = [
  [/^(?:none|off|raw|samples?)$/, "none"],
  [/^seconds?$/, "second"],
  [/^minutes?$/, "minute"],
  [/^(?:hours?|hourly)$/, "hour"],
  [/^(?:days?|daily)$/, "day"],
  [/^(?:weeks?|weekly)$/, "week"],
  [/^(?:months?|monthly)$/, "month"],
  [/^(?:years?|yearly)$/, "year"],
];

/** `Days`, as the app's header says, or a query's `day`; null where nothing that we know is stated. */
export const aggregationOf = (stated: string | undefined): Aggregation | null =>
  AGGREGATIONS.find(([pattern]) => pattern.test((stated ?? "").trim().toLowerCase()))?.[1] ?? null;

/**
 * The zone of a batch that states none: the offset of its newest date, which is the phone's. Weaker than anything that
 * the athlete has set (D4), and right for all but the dates beyond a change of the clocks.
 */
const newestOffset = ({ samples }: Converted): string | null => {
  let newest: { at: number; offset: string } | null = null;
  for (const { entry } of samples) {
    const start = (entry as { start?: unknown } | null)?.start;
    const at = parseInstant(start);
    const offset = offsetOf(start);
    if (at !== undefined && offset !== null && (newest === null || at > newest.at)) newest = { at, offset };
  }
  return newest?.offset ?? null;
};

/** A body of the Health Auto Export app, version 1 or 2, summarised or not (healthkit.md §7.2). Total. */
export const convertHealthAutoExport = ({ data }: HealthAutoExportBody, reading: Reading): Converted => {
  const into = nothing();
  for (const [index, metric] of (data.metrics ?? []).entries()) {
    const parent = `data.metrics[${index}]`;
    const isSleep = typeOfName(metric.name) === "HKCategoryTypeIdentifierSleepAnalysis";
    if (isSleep) readSleep(metric, parent, into);
    else readPoints(metric, parent, reading, into);
  }
  readWorkouts(data.workouts ?? [], into);
  readStatesOfMind(data.stateOfMind ?? [], into);
  for (const [name, section] of Object.entries(data)) {
    if (USED.has(name) && !(UNUSED as readonly string[]).includes(name)) continue;
    ignore(into, USED.has(name) ? name : "other", Array.isArray(section) ? section.length : 1);
  }
  into.time_zone = reading.time_zone ?? newestOffset(into);
  return into;
};
