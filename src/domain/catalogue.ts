import { ACTIVITY } from "./catalogue/activity.ts";
import { BODY } from "./catalogue/body.ts";
import { CATEGORY_TYPES } from "./catalogue/categories.ts";
import type { MetricDefinition } from "./catalogue/definition.ts";
import { HEART } from "./catalogue/heart.ts";
import { NUTRITION } from "./catalogue/nutrition.ts";
import { CATEGORIES, OTHER_TYPES, QUANTITIES } from "./healthkit-types.ts";

export type { MetricDefinition } from "./catalogue/definition.ts";

/** Every sample type that we take, one line each in the files of catalogue/ (healthkit.md §1). */
export const METRICS: readonly MetricDefinition[] = [...HEART, ...ACTIVITY, ...BODY, ...NUTRITION, ...CATEGORY_TYPES];

const byType = new Map(METRICS.flatMap((metric) => [metric.type, ...metric.aliases].map((type) => [type, metric])));
const byKey = new Map(METRICS.map((metric) => [metric.key, metric]));

/** The definition of a HealthKit identifier that we take, undefined for all others. */
export const metricOfType = (type: string): MetricDefinition | undefined => byType.get(type);

/** The definition of a canonical key. */
export const metricOfKey = (key: string): MetricDefinition | undefined => byKey.get(key);

export type AggregationStyle = "cumulative" | "discrete" | "category";

/** How figures over a span of time are made: sums, means, or nothing but counts. */
export const aggregationStyle = ({ aggregation }: MetricDefinition): AggregationStyle => {
  if (aggregation === "C") return "cumulative";
  return aggregation === "K" ? "category" : "discrete";
};

const documented = new Set([
  ...QUANTITIES.map((name) => `HKQuantityTypeIdentifier${name}`),
  ...CATEGORIES.map((name) => `HKCategoryTypeIdentifier${name}`),
  ...OTHER_TYPES,
]);

/** Whether Apple documents the identifier: one that we do not take is ignored and counted, any other is refused (D5). */
export const isKnownType = (type: string): boolean => documented.has(type);
