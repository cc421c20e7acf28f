import { CATEGORIES, OTHER_TYPES, QUANTITIES } from "./healthkit-types.ts";

/** Converts a received value to the canonical unit. */
export type Conversion = (value: number) => number;

/**
 * One sample type, one line (healthkit.md §1). Ranges are in the canonical unit, both ends allowed.
 * - `aggregation`: C cumulative, A mean, T temporally weighted mean, L equivalent sound level.
 * - `units`: every unit that is accepted, by the exact string, with its way to the canonical one.
 * - `hard` refuses a sample; `soft` (a sample's) and `softDay` (a day's result) only flag; `maxRate` is per second.
 * - `touches`: from which day before to which day after its own dates a sample can change results (D18).
 * - `daily`: the athlete metric of this type alone (§5.0), and the rule by which samples become it, and how the result is
 *   rounded (D17); a provider's daily totals are taken for it. Null where there is none.
 */
export type MetricDefinition = {
  readonly type: string;
  readonly key: string;
  readonly aggregation: "C" | "A" | "T" | "L";
  readonly unit: string;
  readonly units: ReadonlyMap<string, Conversion>;
  readonly hard: readonly [min: number, max: number];
  readonly soft: readonly [min: number, max: number];
  readonly softDay: readonly [min: number, max: number];
  readonly maxRate: number;
  readonly touches: readonly [before: number, after: number];
  readonly daily: { readonly metric: string; readonly rule: "steps_merge/1"; readonly round: Conversion } | null;
};

const same: Conversion = (value) => value;
const times =
  (factor: number): Conversion =>
  (value) =>
    value * factor;

/** Half up, where a sum of parts may lie a rounding error below the half. */
const toCount: Conversion = (value) => Math.floor(value + 0.5 + 1e-9);

const RATE = new Map([
  ["count/min", same],
  ["bpm", same],
  ["count/s", times(60)],
] as const);
const COUNT = new Map([["count", same]] as const);

const ANY = [-Infinity, Infinity] as const;

const HK = "HKQuantityTypeIdentifier";

// prettier-ignore
export const METRICS: readonly MetricDefinition[] = [
  { type: `${HK}HeartRate`, key: "heart_rate", aggregation: "T", unit: "count/min", units: RATE, hard: [20, 300], soft: [30, 230], softDay: ANY, maxRate: Infinity, touches: [0, 1], daily: null },
  { type: `${HK}StepCount`, key: "steps", aggregation: "C", unit: "count", units: COUNT, hard: [0, 50_000], soft: [0, 50_000], softDay: [0, 60_000], maxRate: 5, touches: [0, 1], daily: { metric: "steps", rule: "steps_merge/1", round: toCount } },
];

const byType = new Map(METRICS.map((metric) => [metric.type, metric]));
const byKey = new Map(METRICS.map((metric) => [metric.key, metric]));

/** The definition of a HealthKit identifier that we take, undefined for all others. */
export const metricOfType = (type: string): MetricDefinition | undefined => byType.get(type);

/** The definition of a canonical key. */
export const metricOfKey = (key: string): MetricDefinition | undefined => byKey.get(key);

const documented = new Set([
  ...QUANTITIES.map((name) => HK + name),
  ...CATEGORIES.map((name) => `HKCategoryTypeIdentifier${name}`),
  ...OTHER_TYPES,
]);

/** Whether Apple documents the identifier: such a type is ignored and counted, any other is refused (D5). */
export const isKnownType = (type: string): boolean => documented.has(type);
