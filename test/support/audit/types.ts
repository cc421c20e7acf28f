import {
  CENTIMETRE,
  COUNT,
  EFFORT,
  ENERGY,
  GLUCOSE,
  GRAM,
  KG,
  METRE,
  MG,
  MILLISECOND,
  MINUTE,
  only,
  OXYGEN,
  PER_MINUTE,
  PRESSURE,
  SPEED,
  UG,
  VOLUME,
  type Factors,
} from "./units.ts";

/** The auditor's own reading of healthkit.md §1 and D23: which key and unit each identifier is stored under. */
export type SampleType = {
  metric: string;
  unit: string;
  /** How what was sent becomes the stored value. */
  reads: "factor" | "percent" | "temperature" | "category" | "minutes" | "valence" | "nothing" | "beats";
  factors: Factors;
  /** Plain sums and merges: the value lies over the interval. */
  dietary: boolean;
};

const TYPES = new Map<string, SampleType>();
const snake = (name: string): string =>
  name
    .replaceAll(/([a-z])([A-Z0-9])/g, "$1_$2")
    .replaceAll(/([0-9])([A-Z])/g, "$1_$2")
    .toLowerCase();

type Line = readonly [identifier: string, key?: string];
const add = (prefix: string, lines: readonly (Line | string)[], type: Omit<SampleType, "metric" | "dietary">): void => {
  for (const line of lines) {
    const [identifier, key] = typeof line === "string" ? [line] : line;
    const metric = key ?? snake(identifier.replace("Dietary", ""));
    TYPES.set(`${prefix}${identifier}`, { ...type, metric, dietary: identifier.startsWith("Dietary") });
  }
};

const QUANTITY = "HKQuantityTypeIdentifier";
const CATEGORY = "HKCategoryTypeIdentifier";
const quantity = (unit: string, factors: Factors, ...lines: (Line | string)[]): void =>
  add(QUANTITY, lines, { unit, factors, reads: "factor" });
const dietary = (unit: string, factors: Factors, names: string): void =>
  add(
    QUANTITY,
    names.split(" ").map((name) => `Dietary${name}`),
    { unit, factors, reads: "factor" },
  );

// §1.1
quantity(
  "count/min",
  PER_MINUTE,
  "HeartRate",
  "RestingHeartRate",
  ["WalkingHeartRateAverage", "walking_heart_rate_avg"],
  ["HeartRateRecoveryOneMinute", "hr_recovery_1min"],
  "RespiratoryRate",
  "CyclingCadence",
);
quantity("ms", MILLISECOND, ["HeartRateVariabilitySDNN", "hrv_sdnn"], "RunningGroundContactTime");
quantity("mL/kg/min", OXYGEN, ["VO2Max", "vo2_max"]);
quantity("count/h", only("count", "count/h"), ["AppleSleepingBreathingDisturbances", "sleep_breathing_disturbances"]);
quantity("mmHg", PRESSURE, "BloodPressureSystolic", "BloodPressureDiastolic");
quantity("mg/dL", GLUCOSE, "BloodGlucose");
add(
  QUANTITY,
  [
    ["OxygenSaturation", "spo2"],
    ["PeripheralPerfusionIndex", "perfusion_index"],
    ["AtrialFibrillationBurden", "afib_burden"],
    ["BodyFatPercentage", "body_fat"],
    "WalkingAsymmetryPercentage",
    "WalkingDoubleSupportPercentage",
  ],
  { unit: "fraction", factors: only("%", "fraction"), reads: "percent" },
);
add(
  QUANTITY,
  [
    ["AppleSleepingWristTemperature", "sleeping_wrist_temp"],
    ["BodyTemperature", "body_temp"],
    ["BasalBodyTemperature", "basal_body_temp"],
  ],
  { unit: "degC", factors: only("degC", "degF"), reads: "temperature" },
);
// §1.2
quantity(
  "count",
  COUNT,
  ["StepCount", "steps"],
  ["FlightsClimbed", "flights"],
  ["SwimmingStrokeCount", "swim_strokes"],
  "PushCount",
  "NumberOfAlcoholicBeverages",
  "InhalerUsage",
  "NumberOfTimesFallen",
);
quantity(
  "m",
  METRE,
  ["DistanceWalkingRunning", "distance_walk_run"],
  "DistanceCycling",
  "DistanceSwimming",
  "DistanceWheelchair",
  "DistanceRowing",
  "DistancePaddleSports",
  "DistanceSkatingSports",
  "DistanceCrossCountrySkiing",
  "DistanceDownhillSnowSports",
  "RunningStrideLength",
  "WalkingStepLength",
  "Height",
  ["WaistCircumference", "waist"],
);
quantity("kcal", ENERGY, ["ActiveEnergyBurned", "active_energy"], ["BasalEnergyBurned", "basal_energy"]);
quantity(
  "min",
  MINUTE,
  ["AppleExerciseTime", "exercise_time"],
  ["AppleMoveTime", "move_time"],
  ["AppleStandTime", "stand_time"],
  "TimeInDaylight",
);
quantity("kcal/(kg·h)", EFFORT, "PhysicalEffort");
quantity("W", only("W"), "RunningPower", "CyclingPower");
quantity("m/s", SPEED, "RunningSpeed", "CyclingSpeed", "WalkingSpeed");
quantity("cm", CENTIMETRE, "RunningVerticalOscillation");
quantity("appleEffortScore", only("appleEffortScore"), "WorkoutEffortScore", "EstimatedWorkoutEffortScore");
quantity("dBASPL", only("dBASPL"), "EnvironmentalAudioExposure", "HeadphoneAudioExposure");
// §1.3
quantity("kg", KG, "BodyMass", "LeanBodyMass");
quantity("kg/m²", only("count", "kg/m²"), ["BodyMassIndex", "bmi"]);
// §1.4
dietary("kcal", ENERGY, "EnergyConsumed");
dietary("mL", VOLUME, "Water");
dietary("g", GRAM, "Carbohydrates Fiber Sugar FatTotal FatSaturated FatMonounsaturated FatPolyunsaturated Protein");
dietary(
  "mg",
  MG,
  "Cholesterol Sodium Potassium Calcium Phosphorus Magnesium Chloride Iron Zinc Manganese Thiamin Riboflavin " +
    "Niacin PantothenicAcid VitaminB6 VitaminC VitaminE Caffeine",
);
dietary("µg", UG, "Biotin Chromium Copper Folate Iodine Molybdenum Selenium VitaminA VitaminB12 VitaminD VitaminK");
// Categories and what has no quantity
const events = ["HighHeartRate", "LowHeartRate", "IrregularHeartRhythm", "SleepApnea", "Hypertension"];
add(CATEGORY, ["SleepAnalysis", ["AppleStandHour", "stand_hour"]], { unit: "", factors: {}, reads: "category" });
add(
  CATEGORY,
  events.map((name) => `${name}Event`),
  { unit: "", factors: {}, reads: "nothing" },
);
add(CATEGORY, ["MindfulSession"], { unit: "min", factors: {}, reads: "minutes" });
for (const identifier of ["HKStateOfMind", `${CATEGORY}StateOfMind`])
  add("", [[identifier, "state_of_mind"]], { unit: "", factors: {}, reads: "valence" });
add("", [["HKWorkoutTypeIdentifier", "workout"]], { unit: "", factors: {}, reads: "nothing" });
add("", [["HKDataTypeIdentifierHeartbeatSeries", "hrv_rmssd"]], { unit: "ms", factors: {}, reads: "beats" });

export const typeOf = (identifier: string): SampleType | undefined => TYPES.get(identifier);
export const allTypes = (): ReadonlyMap<string, SampleType> => TYPES;

const SLEEP_NAMES = ["InBed", "AsleepUnspecified", "Awake", "AsleepCore", "AsleepDeep", "AsleepREM"];

/** The integer of a category as text or number (§2): `Asleep` of old exports is 1 too. */
const categoryOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return value;
  const text = typeof value === "string" ? value : "";
  if (/^\d+$/.test(text)) return Number(text);
  if (text.endsWith("SleepAnalysisAsleep")) return 1;
  if (text.endsWith("StandHourStood")) return 0;
  if (text.endsWith("StandHourIdle")) return 1;
  const at = SLEEP_NAMES.findIndex((name) => text.endsWith(`SleepAnalysis${name}`));
  return at < 0 ? undefined : at;
};

/** RMSSD in ms of a heartbeat series (§5.2): of neighbouring intervals that differ little; undefined below twenty pairs. */
const rmssdOf = (beats: unknown): number | undefined => {
  const list = (beats ?? []) as [number, boolean][];
  const squares: number[] = [];
  let before: number | undefined;
  for (const [i, [at, gap]] of list.entries()) {
    const last = list[i - 1];
    if (!last) continue;
    const interval = at - last[0];
    const good = !gap && interval >= 0.3 && interval <= 2;
    if (good && before !== undefined && Math.abs(interval - before) <= 0.2 * before)
      squares.push((1000 * (interval - before)) ** 2);
    before = good ? interval : undefined;
  }
  return squares.length < 20 ? undefined : Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
};

type Told = {
  value: unknown;
  unit: string | null;
  start_at: number;
  end_at: number;
  metadata: Record<string, unknown>;
};

/** The canonical value, or undefined where no rule gives one. */
export const valueOf = (type: SampleType, told: Told): number | undefined => {
  const value = Number(told.value);
  const factor = type.factors[told.unit ?? ""];
  if (type.reads === "category") return categoryOf(told.value);
  if (type.reads === "nothing") return 0;
  if (type.reads === "minutes") return (told.end_at - told.start_at) / 60_000;
  if (type.reads === "valence") return value;
  if (type.reads === "beats") return rmssdOf(told.metadata["beats"]);
  if (factor === undefined) return undefined;
  if (type.reads === "temperature") return told.unit === "degF" ? ((value - 32) * 5) / 9 : value;
  if (type.reads === "percent") return told.unit === "%" && value > 1 ? value / 100 : value;
  return value * factor;
};

/** §5.0: the athlete metric that a provider's daily total of this type becomes, and its unit where that differs. */
export const DAILY_NAMES: Readonly<Record<string, string>> = {
  body_mass: "weight",
  resting_heart_rate: "resting_hr",
  walking_heart_rate_avg: "walking_hr",
  vo2_max: "vo2max",
  sleeping_wrist_temp: "skin_temp",
  hrv_sdnn: "hrv",
  distance_walk_run: "distance",
  mindful_session: "mindful_time",
};
