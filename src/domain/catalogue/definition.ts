import type { Conversion, Units } from "./units.ts";
import { same } from "./units.ts";

export type Range = readonly [min: number, max: number];

/** How samples of a day become its athlete metric (§5.0); the functions stand in day-rules.ts. */
export type DailyRule =
  | "steps_merge/1"
  | "day_sum/1"
  | "day_mean/1"
  | "day_latest/1"
  | "day_latest_by_end/1"
  | "hrv/1"
  | "sleep_mean/1"
  | "rhr/1"
  | "mood/1"
  | "provider_total";

/**
 * The athlete metric of a type alone (§5.0). `units` and `unit` are those of a provider's daily total, `round` is D17.
 * Only rules named `provider_total` have no way from samples.
 */
export type Daily = {
  readonly metric: string;
  readonly rule: DailyRule;
  readonly unit: string;
  readonly units: Units;
  readonly round: Conversion;
};

/**
 * One sample type, one line (healthkit.md §1). Ranges are in the canonical unit, both ends allowed.
 * - `aliases`: other identifiers that mean the same.
 * - `aggregation`: C cumulative, A mean, T temporally weighted mean, L equivalent sound level, K category or interval.
 * - `overlap`: whether sources that overlap are merged (`steps_merge/1`) or simply added (D13); read of C only.
 * - `units`: every unit that is accepted, by the exact string, with its way to the canonical one.
 * - `value`: the canonical value is the one sent, the interval's minutes, 0 where only the interval matters, or `rmssd/1`
 *   of the beats in the metadata.
 * - `categories`: the values allowed, by the names that an export writes (§2); null where any number in range is.
 * - `metadataValue`: the metadata key that holds the value where the sample has none, without its prefix.
 * - `correlation`: what the type is one part of: parts share a group and a start (D23).
 * - `valueInId`: the value tells records of one moment apart (D10: dietary types and categories).
 * - `hard` refuses a sample; `soft` (a sample's) and `softDay` (a day's result) only flag; `maxRate` is per second.
 * - `touches`: from which day before to which day after its own dates a sample can change results (D18).
 * - `daily`: the athlete metric of this type alone, null where there is none.
 */
export type MetricDefinition = {
  readonly type: string;
  readonly aliases: readonly string[];
  readonly key: string;
  readonly aggregation: "C" | "A" | "T" | "L" | "K";
  readonly overlap: "merge" | "add";
  readonly unit: string;
  readonly units: Units;
  readonly value: "sent" | "minutes" | "zero" | "rmssd";
  readonly categories: ReadonlyMap<string, number> | null;
  readonly metadataValue: string | null;
  readonly correlation: "blood_pressure" | null;
  readonly valueInId: boolean;
  readonly hard: Range;
  readonly soft: Range;
  readonly softDay: Range;
  readonly maxRate: number;
  readonly touches: readonly [before: number, after: number];
  readonly daily: Daily | null;
};

export const ANY: Range = [-Infinity, Infinity];

/** The lower end of a range that excludes 0: there is no number between them. */
export const ABOVE_0 = Number.MIN_VALUE;

/** A range's ends as words. */
export const rangeText = ([min, max]: Range): string => {
  const low = min === ABOVE_0 ? "over 0" : String(min);
  if (max === Infinity) return min === ABOVE_0 ? low : `${low} or more`;
  return min === ABOVE_0 ? `${low} and at most ${max}` : `${low} to ${max}`;
};

/** Half up, where a sum of parts may lie a rounding error below the half. */
export const toCount: Conversion = (value) => Math.floor(value + 0.5 + 1e-9);

type DailyLine = { metric: string; rule: DailyRule; unit?: string; units?: Units; round?: Conversion };
type Line = Pick<MetricDefinition, "key" | "aggregation" | "unit" | "units" | "hard"> &
  Partial<Omit<MetricDefinition, "daily">> & { daily?: DailyLine };

/** A definition from what its line says; the rest is as most types have it. */
const define = (type: string, line: Line): MetricDefinition => {
  const { daily = null, ...said } = line;
  const { unit, units } = line;
  return {
    type,
    aliases: [],
    overlap: "merge",
    value: "sent",
    categories: null,
    metadataValue: null,
    correlation: null,
    valueInId: false,
    soft: line.hard,
    softDay: ANY,
    maxRate: Infinity,
    touches: [0, 0],
    ...said,
    daily: daily === null ? null : { unit, units, round: same, ...daily },
  };
};

export const quantity = (name: string, line: Line): MetricDefinition => define(`HKQuantityTypeIdentifier${name}`, line);

type CategoryLine = Partial<Line> & { key: string; categories: ReadonlyMap<string, number> };

export const category = (name: string, line: CategoryLine, unit: Pick<Line, "unit" | "units">): MetricDefinition =>
  define(`HKCategoryTypeIdentifier${name}`, { aggregation: "K", hard: ANY, valueInId: true, ...unit, ...line });

export const interval = (type: string, line: Partial<Line> & { key: string }, units: Units): MetricDefinition =>
  define(type, { aggregation: "K", hard: ANY, unit: "", units, value: "zero", ...line });

/** `DistanceSwimming` → `distance_swimming` (D23). */
export const snakeCase = (name: string): string => name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
