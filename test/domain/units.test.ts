import * as fc from "fast-check";
import { expect, test } from "vitest";
import { METRICS, metricOfType } from "../../src/domain/catalogue.ts";
import { convertValue } from "../../src/domain/measure.ts";
import { interpret } from "../../src/domain/interpret.ts";
import { sent } from "./make.ts";

const QUANTITY = "HKQuantityTypeIdentifier";

const converted = (name: string, value: number, unit: string | null, door = "native") => {
  const result = interpret(sent({ type: QUANTITY + name, value, unit, time_zone: "UTC", series: { door } }));
  if (result.kind !== "ok") return result.kind === "dead" ? result.reason : result.kind;
  const { value: canonical, unit: own, attributes } = result.value;
  return [canonical, own, ...(attributes.flags ?? [])];
};

/** By hand, from the definitions of the units and healthkit.md §1. */
test.each<[name: string, value: number, unit: string, canonical: readonly [number, string]]>([
  ["HeartRate", 1.2, "count/s", [72, "count/min"]],
  ["HeartRateVariabilitySDNN", 0.045, "s", [45, "ms"]],
  ["VO2Max", 41.5, "mL/min\u00b7kg", [41.5, "mL/kg/min"]],
  ["VO2Max", 41.5, "ml/(kg*min)", [41.5, "mL/kg/min"]],
  ["VO2Max", 41.5, "ml/kg/min", [41.5, "mL/kg/min"]],
  ["VO2Max", 41.5, "ml/(kg\u00b7min)", [41.5, "mL/kg/min"]],
  ["RespiratoryRate", 0.25, "count/s", [15, "count/min"]],
  ["OxygenSaturation", 0.97, "%", [0.97, "fraction"]],
  ["BodyTemperature", 98.6, "degF", [37, "degC"]],
  ["AppleSleepingWristTemperature", 95, "degF", [35, "degC"]],
  ["BloodPressureSystolic", 16, "kPa", [120.00992, "mmHg"]],
  ["BloodGlucose", 5.5, "mmol/L", [99.085745, "mg/dL"]],
  ["BloodGlucose", 5.5, "mmol<180.1558800000541>/L", [99.085745, "mg/dL"]],
  ["DistanceWalkingRunning", 1.5, "km", [1500, "m"]],
  ["DistanceWalkingRunning", 1, "mi", [1609.344, "m"]],
  ["DistanceSwimming", 100, "yd", [91.44, "m"]],
  ["ActiveEnergyBurned", 12, "Cal", [12, "kcal"]],
  ["ActiveEnergyBurned", 41.84, "kJ", [10, "kcal"]],
  ["AppleExerciseTime", 0.5, "hr", [30, "min"]],
  ["TimeInDaylight", 90, "s", [1.5, "min"]],
  ["PhysicalEffort", 4.5, "kcal/hr\u00b7kg", [4.5, "kcal/(kg\u00b7h)"]],
  ["RunningSpeed", 36, "km/hr", [10, "m/s"]],
  ["WalkingSpeed", 10, "mi/hr", [4.4704, "m/s"]],
  ["RunningStrideLength", 110, "cm", [1.1, "m"]],
  ["RunningVerticalOscillation", 4, "in", [10.16, "cm"]],
  ["BodyMass", 180, "lb", [81.6466266, "kg"]],
  ["BodyMass", 12, "st", [76.20351816, "kg"]],
  ["BodyMass", 70_500, "g", [70.5, "kg"]],
  ["BodyMassIndex", 22.5, "count", [22.5, "kg/m\u00b2"]],
  ["Height", 180, "cm", [1.8, "m"]],
  ["Height", 5.9, "ft", [1.79832, "m"]],
  ["WaistCircumference", 32, "in", [0.8128, "m"]],
  ["DietaryEnergyConsumed", 418.4, "kJ", [100, "kcal"]],
  ["DietaryWater", 0.5, "L", [500, "mL"]],
  ["DietaryWater", 8, "fl_oz_us", [236.5882365, "mL"]],
  ["DietaryWater", 1, "fl_oz_imp", [28.4130625, "mL"]],
  ["DietaryWater", 1, "cup_us", [236.5882365, "mL"]],
  ["DietaryWater", 1, "pt_us", [473.176473, "mL"]],
  ["DietaryProtein", 1, "oz", [28.349523125, "g"]],
  ["DietarySodium", 1.2, "g", [1200, "mg"]],
  ["DietaryVitaminC", 500, "mcg", [0.5, "mg"]],
  ["DietaryVitaminD", 10, "\u00b5g", [10, "\u00b5g"]],
  ["DietaryVitaminD", 10, "\u03bcg", [10, "\u00b5g"]],
  ["DietaryVitaminD", 0.01, "mg", [10, "\u00b5g"]],
])("%s of %d %s is %j", (name, value, unit, canonical) => {
  expect(converted(name, value, unit)).toEqual([expect.closeTo(canonical[0], 9), canonical[1]]);
});

test("units that fit no type are refused, as are those of another dimension", () => {
  expect(converted("DietaryVitaminD", 400, "IU")).toBe("bad_unit");
  expect(converted("DietaryVitaminD", 400, "mL")).toBe("bad_unit");
  expect(converted("BodyMass", 70, "Kg")).toBe("bad_unit");
  expect(converted("BodyMass", 70, null)).toBe("bad_unit");
  expect(converted("HeartRate", 70, "count")).toBe("bad_unit");
});

test("the percent rule pct/1 takes fractions as they are, repairs percent, and refuses what is neither", () => {
  expect(converted("OxygenSaturation", 97, "%")).toEqual([0.97, "fraction", "unit_repaired"]);
  expect(converted("OxygenSaturation", 1, "%")).toEqual([1, "fraction"]);
  expect(converted("OxygenSaturation", 100, "%")).toEqual([1, "fraction", "unit_repaired"]);
  expect(converted("OxygenSaturation", 100.1, "%")).toBe("out_of_range");
  expect(converted("BodyFatPercentage", 18, "%")).toEqual([0.18, "fraction", "unit_repaired"]);
  expect(converted("BodyFatPercentage", 0.18, "%")).toEqual([0.18, "fraction"]);
  expect(converted("BodyFatPercentage", 18, "fraction")).toBe("out_of_range");
  expect(converted("OxygenSaturation", -0.5, "%")).toBe("out_of_range");
});

test("Health Auto Export sends percent, so that 0.9 % is no fraction; the burden of fibrillation is never repaired", () => {
  expect(converted("WalkingAsymmetryPercentage", 0.9, "%", "health_auto_export")).toEqual([
    expect.closeTo(0.009, 9),
    "fraction",
  ]);
  expect(converted("OxygenSaturation", 97, "%", "health_auto_export")).toEqual([0.97, "fraction"]);
  expect(converted("AtrialFibrillationBurden", 2, "%")).toBe("out_of_range");
});

test("minimum and maximum are read as the value is", () => {
  const type = `${QUANTITY}OxygenSaturation`;
  const result = interpret(sent({ type, value: 97, unit: "%", min: 1, max: 99 }));
  expect(result).toMatchObject({ value: { attributes: { min: 0.01, max: 0.99 } } });
});

const units = METRICS.flatMap(({ units: own }) => [...own].map(([unit, convert]) => [unit, convert] as const));

test("every conversion can be undone", () => {
  fc.assert(
    fc.property(fc.constantFrom(...units), fc.double({ min: 1.5, max: 1e6, noNaN: true }), ([unit, convert], value) => {
      // Straight lines all, above the fractions of the percent rule.
      const slope = (convert(1000) - convert(500)) / 500;
      const back = (convert(value) - convert(500)) / slope + 500;
      expect([unit, Math.abs(back - value) <= 1e-9 * Math.max(1000, value)]).toEqual([unit, true]);
    }),
    { numRuns: 2000 },
  );
});

test("two units of one type agree on what they measure", () => {
  fc.assert(
    fc.property(fc.constantFrom(...METRICS), fc.double({ min: 2, max: 1e5, noNaN: true }), (metric, value) => {
      for (const unit of metric.units.keys()) {
        const result = convertValue(metric.units, { value, unit, door: "native" });
        expect(result).toMatchObject({ kind: "value" });
      }
    }),
  );
});

const numbers = fc.oneof(fc.double(), fc.constantFrom(0, 1, 5, 60, -1, 97, 1e9));
const anyUnit = fc.oneof(
  fc.constantFrom("", "%", "count", "kg", null),
  fc.constantFrom(...units.map(([unit]) => unit)),
);

test("every type answers whatever is sent, and what is taken lies in its hard range and unit", () => {
  const types = METRICS.flatMap(({ type, aliases }) => [type, ...aliases]);
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      numbers,
      anyUnit,
      fc.integer({ min: 0, max: 9e8 }),
      (type, value, unit, ms) => {
        const { sample } = sent();
        const result = interpret(sent({ type, value, unit, end_at: sample.start_at + ms }));
        expect(JSON.parse(JSON.stringify(result))).toEqual(result);
        if (result.kind !== "ok") return;
        const metric = metricOfType(type);
        expect(result.value).toMatchObject({ metric: metric?.key, unit: metric?.unit });
        expect(result.value.value >= (metric?.hard[0] ?? 0) && result.value.value <= (metric?.hard[1] ?? 0)).toBe(true);
      },
    ),
    { numRuns: 3000 },
  );
});
