import type { MetricDefinition } from "../domain/catalogue.ts";
import type { AthleteSettings } from "../domain/sample.ts";
import { sourceOrder } from "../domain/source-order.ts";
import type { SumOrder } from "./buckets.ts";

/** Nutrition and the like are added, everything else is one time line over all sources (D13). */
export const sumOrder = ({ key, overlap }: MetricDefinition, settings: AthleteSettings): SumOrder =>
  overlap === "add" ? null : sourceOrder(settings, key);
