/** What an Open mHealth schema holds, and which HealthKit types its values are. */
export type Mapping = {
  /** Member of the body, and the type that it is. */
  values: readonly (readonly [member: string, type: string])[];
};

const one = (member: string, type: string): Mapping => ({ values: [[member, `HKQuantityTypeIdentifier${type}`]] });

/** By the schema's name, written with - as the schemas are. Measures that HealthKit has, and Apple's own beside them. */
const SCHEMAS: ReadonlyMap<string, Mapping> = new Map([
  ["heart-rate", one("heart_rate", "HeartRate")],
  ["resting-heart-rate", one("heart_rate", "RestingHeartRate")],
  ["step-count", one("step_count", "StepCount")],
  ["body-weight", one("body_weight", "BodyMass")],
  ["body-height", one("body_height", "Height")],
  ["body-mass-index", one("body_mass_index", "BodyMassIndex")],
  ["body-fat-percentage", one("body_fat_percentage", "BodyFatPercentage")],
  ["body-temperature", one("body_temperature", "BodyTemperature")],
  ["waist-circumference", one("waist_circumference", "WaistCircumference")],
  ["oxygen-saturation", one("oxygen_saturation", "OxygenSaturation")],
  ["respiratory-rate", one("respiratory_rate", "RespiratoryRate")],
  ["blood-glucose", one("blood_glucose", "BloodGlucose")],
  ["calories-burned", one("kcal_burned", "ActiveEnergyBurned")],
  [
    "blood-pressure",
    {
      values: [
        ["systolic_blood_pressure", "HKQuantityTypeIdentifierBloodPressureSystolic"],
        ["diastolic_blood_pressure", "HKQuantityTypeIdentifierBloodPressureDiastolic"],
      ],
    },
  ],
]);

/** `omh:heart_rate` of old, `heart-rate` today. */
export const schemaName = (sent: unknown): string =>
  typeof sent === "string" && sent.length <= 64 ? sent.toLowerCase().replaceAll("_", "-") : "";

export const mappingOf = (name: string): Mapping | undefined => SCHEMAS.get(name);

/** Total sleep of a night: provider totals, no session (D21). */
export const SLEEP_TOTALS: ReadonlyMap<string, string> = new Map([
  ["sleep-episode", "total_sleep_time"],
  ["sleep-duration", "sleep_duration"],
]);

/** Open mHealth's units where HealthKit's are others. */
const UNITS = new Map([
  ["beats/min", "count/min"],
  ["breaths/min", "count/min"],
  ["steps", "count"],
  ["kg/m2", "kg/m\u00b2"],
  ["C", "degC"],
  ["F", "degF"],
  ["h", "hr"],
  ["sec", "s"],
]);

/** Value and unit as HealthKit has them. A percentage is 0 to 100 here, so it is made a fraction, also below 1. */
export const unitValue = (value: unknown, unit: unknown): { value: unknown; unit: unknown } => {
  if (unit === "%") return { value: typeof value === "number" ? value / 100 : value, unit: "fraction" };
  return { value, unit: typeof unit === "string" ? (UNITS.get(unit) ?? unit) : unit };
};
