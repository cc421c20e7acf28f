import { ABOVE_0, type MetricDefinition, type Range, quantity, snakeCase, toCount } from "./definition.ts";
import * as u from "./units.ts";

const COUNT = { aggregation: "C", unit: "count", units: u.COUNT } as const;
const METRES = { aggregation: "C", unit: "m", units: u.lengthIn("m") } as const;
const KCAL = { aggregation: "C", unit: "kcal", units: u.ENERGY, hard: [0, 20_000] } as const;
const MINUTES = { aggregation: "C", unit: "min", units: u.timeIn("min"), hard: [0, 1440] } as const;
const MERGED = "steps_merge/1" as const;

/** A type that a row of §1.2 names in a group: its key is its identifier in snake case (D23). */
const named = (name: string, line: Omit<Parameters<typeof quantity>[1], "key">): MetricDefinition =>
  quantity(name, { ...line, key: snakeCase(name) });

const distance = (name: string): MetricDefinition => named(name, { ...METRES, hard: [0, 1_000_000] });

const POSITIVE: Range = [ABOVE_0, Infinity];
const POWER = { unit: "W", units: u.WATT, hard: POSITIVE } as const;
const CADENCE = { unit: "count/min", units: u.PER_MINUTE, hard: POSITIVE } as const;
const SPEED = { unit: "m/s", units: u.speedIn("m/s"), hard: POSITIVE } as const;
const LENGTH = { unit: "m", units: u.lengthIn("m"), hard: POSITIVE } as const;
const SHARE = { unit: "fraction", units: u.PERCENT, hard: [ABOVE_0, 1] } as const;
const SCORE = {
  aggregation: "A",
  unit: "appleEffortScore",
  units: u.EFFORT_SCORE,
  hard: [0, 10],
  soft: [1, 10],
} as const;
const SOUND = { aggregation: "L", unit: "dBASPL", units: u.SOUND_LEVEL, hard: [0, 150] } as const;

/** Activity and environment (healthkit.md §1.2). */
// prettier-ignore
export const ACTIVITY: readonly MetricDefinition[] = [
  quantity("StepCount", { key: "steps", ...COUNT, hard: [0, 50_000], softDay: [0, 60_000], maxRate: 5, touches: [0, 1], daily: { metric: "steps", rule: MERGED, round: toCount } }),
  quantity("DistanceWalkingRunning", { key: "distance_walk_run", ...METRES, hard: [0, 200_000], softDay: [0, 120_000], daily: { metric: "distance", rule: MERGED } }),
  distance("DistanceCycling"),
  distance("DistanceSwimming"),
  distance("DistanceWheelchair"),
  distance("DistanceRowing"),
  distance("DistancePaddleSports"),
  distance("DistanceSkatingSports"),
  distance("DistanceCrossCountrySkiing"),
  distance("DistanceDownhillSnowSports"),
  quantity("FlightsClimbed", { key: "flights", ...COUNT, hard: [0, 1000], softDay: [0, 400], daily: { metric: "flights", rule: MERGED, round: toCount } }),
  quantity("ActiveEnergyBurned", { key: "active_energy", ...KCAL, softDay: [0, 10_000], daily: { metric: "active_energy", rule: MERGED } }),
  quantity("BasalEnergyBurned", { key: "basal_energy", ...KCAL, softDay: [500, 5000], daily: { metric: "basal_energy", rule: MERGED } }),
  quantity("AppleExerciseTime", { key: "exercise_time", ...MINUTES, daily: { metric: "exercise_time", rule: MERGED } }),
  quantity("AppleMoveTime", { key: "move_time", ...MINUTES }),
  quantity("AppleStandTime", { key: "stand_time", ...MINUTES, daily: { metric: "stand_time", rule: MERGED } }),
  quantity("PhysicalEffort", { key: "physical_effort", aggregation: "A", unit: "kcal/(kg\u00b7h)", units: u.EFFORT, hard: [0, 30], soft: [0.8, 20] }),
  quantity("TimeInDaylight", { key: "time_in_daylight", ...MINUTES }),
  quantity("SwimmingStrokeCount", { key: "swim_strokes", ...COUNT, hard: [0, 50_000] }),
  quantity("PushCount", { key: "push_count", ...COUNT, hard: [0, 50_000] }),
  named("RunningPower", { aggregation: "A", ...POWER }),
  named("RunningSpeed", { aggregation: "A", ...SPEED }),
  named("RunningStrideLength", { aggregation: "A", ...LENGTH }),
  named("RunningVerticalOscillation", { aggregation: "A", unit: "cm", units: u.lengthIn("cm"), hard: POSITIVE }),
  named("RunningGroundContactTime", { aggregation: "A", unit: "ms", units: u.timeIn("ms"), hard: POSITIVE }),
  named("CyclingPower", { aggregation: "T", ...POWER }),
  named("CyclingCadence", { aggregation: "T", ...CADENCE }),
  named("CyclingSpeed", { aggregation: "T", ...SPEED }),
  named("WalkingSpeed", { aggregation: "A", ...SPEED }),
  named("WalkingStepLength", { aggregation: "A", ...LENGTH }),
  named("WalkingAsymmetryPercentage", { aggregation: "A", ...SHARE }),
  named("WalkingDoubleSupportPercentage", { aggregation: "A", ...SHARE }),
  named("WorkoutEffortScore", SCORE),
  named("EstimatedWorkoutEffortScore", SCORE),
  named("EnvironmentalAudioExposure", SOUND),
  named("HeadphoneAudioExposure", SOUND),
  named("NumberOfAlcoholicBeverages", { ...COUNT, hard: [0, 100], overlap: "add" }),
  named("InhalerUsage", { ...COUNT, hard: [0, 100], overlap: "add" }),
  named("NumberOfTimesFallen", { ...COUNT, hard: [0, 100], overlap: "add" }),
];
