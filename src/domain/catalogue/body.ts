import { type MetricDefinition, quantity } from "./definition.ts";
import * as u from "./units.ts";

const KILOGRAMS = { aggregation: "A", unit: "kg", units: u.massIn("kg"), hard: [2, 500], soft: [35, 200] } as const;
const METRES = { aggregation: "A", unit: "m", units: u.lengthIn("m") } as const;
const LATEST = "day_latest/1" as const;

/** Body (healthkit.md §1.3). */
// prettier-ignore
export const BODY: readonly MetricDefinition[] = [
  quantity("BodyMass", { key: "body_mass", ...KILOGRAMS, daily: { metric: "weight", rule: LATEST } }),
  quantity("LeanBodyMass", { key: "lean_body_mass", ...KILOGRAMS, daily: { metric: "lean_body_mass", rule: LATEST } }),
  quantity("BodyMassIndex", { key: "bmi", aggregation: "A", unit: "kg/m\u00b2", units: u.BODY_MASS_INDEX, hard: [5, 120], soft: [14, 50], daily: { metric: "bmi", rule: LATEST } }),
  quantity("BodyFatPercentage", { key: "body_fat", aggregation: "A", unit: "fraction", units: u.PERCENT, hard: [0.01, 0.75], soft: [0.03, 0.5], daily: { metric: "body_fat", rule: LATEST } }),
  quantity("Height", { key: "height", ...METRES, hard: [0.4, 2.8], soft: [1.3, 2.2], daily: { metric: "height", rule: LATEST } }),
  quantity("WaistCircumference", { key: "waist", ...METRES, hard: [0.2, 3], soft: [0.5, 1.6], daily: { metric: "waist", rule: LATEST } }),
];
