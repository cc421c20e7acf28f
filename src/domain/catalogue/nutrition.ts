import { type MetricDefinition, quantity, snakeCase } from "./definition.ts";
import { ENERGY, type Units, massIn, volumeIn } from "./units.ts";

/** A dietary type: plain sums (D13), and the value is in the id, as a food diary writes many equal moments (D10). */
const dietary =
  (unit: string, units: Units) =>
  (name: string, max: number): MetricDefinition => {
    const key = snakeCase(name);
    const daily = { metric: key, rule: "day_sum/1" } as const;
    const line = { key, unit, units, hard: [0, max], overlap: "add", valueInId: true, daily } as const;
    return quantity(`Dietary${name}`, { aggregation: "C", ...line });
  };

const kcal = dietary("kcal", ENERGY);
const mL = dietary("mL", volumeIn("mL"));
const g = dietary("g", massIn("g"));
const mg = dietary("mg", massIn("mg"));
/** U+00B5 is the canonical spelling. */
const mcg = dietary("\u00b5g", massIn("\u00b5g"));

/** Nutrition (healthkit.md §1.4): the 39 dietary types with the most that one sample may hold. */
export const NUTRITION: readonly MetricDefinition[] = [
  kcal("EnergyConsumed", 20_000),
  mL("Water", 20_000),
  g("Carbohydrates", 5000),
  g("Fiber", 500),
  g("Sugar", 5000),
  g("FatTotal", 2000),
  g("FatSaturated", 1000),
  g("FatMonounsaturated", 1000),
  g("FatPolyunsaturated", 1000),
  g("Protein", 2000),
  mg("Cholesterol", 20_000),
  mg("Sodium", 100_000),
  mg("Potassium", 100_000),
  mg("Calcium", 50_000),
  mg("Phosphorus", 50_000),
  mg("Magnesium", 50_000),
  mg("Chloride", 100_000),
  mg("Iron", 5000),
  mg("Zinc", 5000),
  mg("Manganese", 1000),
  mg("Thiamin", 5000),
  mg("Riboflavin", 5000),
  mg("Niacin", 50_000),
  mg("PantothenicAcid", 50_000),
  mg("VitaminB6", 5000),
  mg("VitaminC", 200_000),
  mg("VitaminE", 50_000),
  mg("Caffeine", 20_000),
  mcg("Biotin", 1_000_000),
  mcg("Chromium", 1_000_000),
  mcg("Copper", 1_000_000),
  mcg("Folate", 1_000_000),
  mcg("Iodine", 1_000_000),
  mcg("Molybdenum", 1_000_000),
  mcg("Selenium", 1_000_000),
  mcg("VitaminA", 1_000_000),
  mcg("VitaminB12", 1_000_000),
  mcg("VitaminD", 1_000_000),
  mcg("VitaminK", 1_000_000),
];
