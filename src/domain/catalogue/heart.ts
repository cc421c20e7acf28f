import { ABOVE_0, type MetricDefinition, quantity } from "./definition.ts";
import * as u from "./units.ts";

const RATE = { unit: "count/min", units: u.BEATS } as const;
const BREATHS = { unit: "count/min", units: u.PER_MINUTE } as const;
const SHARE = { unit: "fraction", units: u.PERCENT } as const;
const DEGREES = { unit: "degC", units: u.TEMPERATURE } as const;
const MMHG = { unit: "mmHg", units: u.PRESSURE, correlation: "blood_pressure" } as const;
/** Read by the night of the next day too (D18). */
const NIGHT = [0, 1] as const;

/** Heart, breathing, temperature (healthkit.md §1.1). */
// prettier-ignore
export const HEART: readonly MetricDefinition[] = [
  quantity("HeartRate", { key: "heart_rate", aggregation: "T", ...RATE, hard: [20, 300], soft: [30, 230], touches: NIGHT }),
  quantity("RestingHeartRate", { key: "resting_heart_rate", aggregation: "T", ...RATE, hard: [20, 150], soft: [30, 110], daily: { metric: "resting_hr", rule: "rhr/1" } }),
  quantity("WalkingHeartRateAverage", { key: "walking_heart_rate_avg", aggregation: "T", ...RATE, hard: [30, 220], soft: [50, 170], daily: { metric: "walking_hr", rule: "day_latest/1" } }),
  quantity("HeartRateVariabilitySDNN", { key: "hrv_sdnn", aggregation: "A", unit: "ms", units: new Map([["ms", u.same], ["s", (value) => value * 1000]]), hard: [ABOVE_0, 500], soft: [5, 300], touches: NIGHT, daily: { metric: "hrv", rule: "hrv/1" } }),
  quantity("HeartRateRecoveryOneMinute", { key: "hr_recovery_1min", aggregation: "A", ...BREATHS, hard: [0, 120], soft: [5, 90] }),
  quantity("VO2Max", { key: "vo2_max", aggregation: "A", unit: "mL/kg/min", units: u.VO2, hard: [5, 100], soft: [15, 90], daily: { metric: "vo2max", rule: "day_latest/1" } }),
  quantity("RespiratoryRate", { key: "respiratory_rate", aggregation: "A", ...BREATHS, hard: [3, 80], soft: [6, 40], touches: NIGHT, daily: { metric: "respiratory_rate", rule: "sleep_mean/1" } }),
  quantity("OxygenSaturation", { key: "spo2", aggregation: "A", ...SHARE, hard: [0.5, 1], soft: [0.8, 1], touches: NIGHT, daily: { metric: "spo2", rule: "sleep_mean/1" } }),
  quantity("PeripheralPerfusionIndex", { key: "perfusion_index", aggregation: "A", ...SHARE, hard: [0, 1], soft: [0, 0.3] }),
  quantity("AppleSleepingBreathingDisturbances", { key: "sleep_breathing_disturbances", aggregation: "A", unit: "count/h", units: u.DISTURBANCES, hard: [0, 200], soft: [0, 60] }),
  quantity("AppleSleepingWristTemperature", { key: "sleeping_wrist_temp", aggregation: "A", ...DEGREES, hard: [20, 45], soft: [30, 39], touches: NIGHT, daily: { metric: "skin_temp", rule: "day_latest_by_end/1" } }),
  quantity("BodyTemperature", { key: "body_temp", aggregation: "A", ...DEGREES, hard: [30, 45], soft: [34, 42] }),
  quantity("BasalBodyTemperature", { key: "basal_body_temp", aggregation: "A", ...DEGREES, hard: [30, 45], soft: [34, 42] }),
  quantity("AtrialFibrillationBurden", { key: "afib_burden", aggregation: "T", unit: "fraction", units: u.FRACTION, hard: [0, 1] }),
  quantity("BloodPressureSystolic", { key: "blood_pressure_systolic", aggregation: "A", ...MMHG, hard: [40, 300], soft: [80, 200], daily: { metric: "blood_pressure_systolic", rule: "day_mean/1" } }),
  quantity("BloodPressureDiastolic", { key: "blood_pressure_diastolic", aggregation: "A", ...MMHG, hard: [20, 200], soft: [40, 130], daily: { metric: "blood_pressure_diastolic", rule: "day_mean/1" } }),
  quantity("BloodGlucose", { key: "blood_glucose", aggregation: "A", unit: "mg/dL", units: u.GLUCOSE, hard: [10, 1000], soft: [40, 400], daily: { metric: "blood_glucose", rule: "day_mean/1" } }),
];
