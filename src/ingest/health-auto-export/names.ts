/** The app's names of what it exports, without the identifiers' prefix, old ones beside today's. */
const words = (text: string): Map<string, string> =>
  new Map(
    text
      .trim()
      .split("\n")
      .flatMap((line) => {
        const [type = "", ...names] = line.trim().split(/\s+/);
        return names.map((name) => [name, type] as const);
      }),
  );

const QUANTITY_NAMES = words(`
  HeartRate heart_rate
  RestingHeartRate resting_heart_rate
  WalkingHeartRateAverage walking_heart_rate_average walking_heart_rate
  HeartRateVariabilitySDNN heart_rate_variability heart_rate_variability_sdnn
  HeartRateRecoveryOneMinute cardio_recovery heart_rate_recovery heart_rate_recovery_one_minute
  VO2Max vo2_max vo2max
  RespiratoryRate respiratory_rate
  OxygenSaturation blood_oxygen_saturation oxygen_saturation blood_oxygen
  PeripheralPerfusionIndex peripheral_perfusion_index
  AppleSleepingBreathingDisturbances breathing_disturbances apple_sleeping_breathing_disturbances
  AppleSleepingWristTemperature apple_sleeping_wrist_temperature wrist_temperature sleeping_wrist_temperature
  BodyTemperature body_temperature
  BasalBodyTemperature basal_body_temperature
  AtrialFibrillationBurden atrial_fibrillation_burden
  BloodGlucose blood_glucose
  StepCount step_count steps
  DistanceWalkingRunning walking_running_distance distance_walking_running
  DistanceCycling cycling_distance distance_cycling
  DistanceSwimming swimming_distance distance_swimming
  DistanceWheelchair wheelchair_distance distance_wheelchair
  DistanceDownhillSnowSports distance_downhill_snow_sports
  DistanceRowing distance_rowing rowing_distance
  DistancePaddleSports distance_paddle_sports
  DistanceSkatingSports distance_skating_sports
  DistanceCrossCountrySkiing distance_cross_country_skiing
  FlightsClimbed flights_climbed
  ActiveEnergyBurned active_energy active_energy_burned
  BasalEnergyBurned basal_energy_burned basal_energy resting_energy
  AppleExerciseTime apple_exercise_time exercise_time
  AppleMoveTime apple_move_time move_time
  AppleStandTime apple_stand_time stand_time
  PhysicalEffort physical_effort
  TimeInDaylight time_in_daylight
  SwimmingStrokeCount swimming_stroke_count
  PushCount push_count
  RunningPower running_power
  RunningSpeed running_speed
  RunningStrideLength running_stride_length
  RunningVerticalOscillation running_vertical_oscillation
  RunningGroundContactTime running_ground_contact_time
  CyclingPower cycling_power
  CyclingCadence cycling_cadence
  CyclingSpeed cycling_speed
  WalkingSpeed walking_speed
  WalkingStepLength walking_step_length
  WalkingAsymmetryPercentage walking_asymmetry_percentage walking_asymmetry
  WalkingDoubleSupportPercentage walking_double_support_percentage walking_double_support
  WorkoutEffortScore workout_effort_score
  EstimatedWorkoutEffortScore estimated_workout_effort_score
  EnvironmentalAudioExposure environmental_audio_exposure environmental_audio
  HeadphoneAudioExposure headphone_audio_exposure headphone_audio
  NumberOfAlcoholicBeverages alcohol_consumption number_of_alcoholic_beverages
  InhalerUsage inhaler_usage
  NumberOfTimesFallen number_of_times_fallen
  BodyMass weight_body_mass body_mass weight
  LeanBodyMass lean_body_mass
  BodyMassIndex body_mass_index
  BodyFatPercentage body_fat_percentage
  Height height
  WaistCircumference waist_circumference
  UVExposure uv_exposure
  BloodAlcoholContent blood_alcohol_content
  ElectrodermalActivity electrodermal_activity
  ForcedExpiratoryVolume1 forced_expiratory_volume_1
  ForcedVitalCapacity forced_vital_capacity
  PeakExpiratoryFlowRate peak_expiratory_flow_rate
  InsulinDelivery insulin_delivery
  SixMinuteWalkTestDistance six_minute_walking_test_distance
  StairAscentSpeed stair_speed_up
  StairDescentSpeed stair_speed_down
  AppleWalkingSteadiness walking_steadiness apple_walking_steadiness
  CyclingFunctionalThresholdPower cycling_functional_threshold_power
  UnderwaterDepth underwater_depth
  WaterTemperature underwater_temperature water_temperature
`);

/** Written plainly, and with `dietary_` before. */
const DIETARY_NAMES = words(`
  EnergyConsumed energy energy_consumed
  Water water
  Carbohydrates carbohydrates
  Fiber fiber
  Sugar sugar
  FatTotal total_fat fat_total
  FatSaturated saturated_fat fat_saturated
  FatMonounsaturated monounsaturated_fat fat_monounsaturated
  FatPolyunsaturated polyunsaturated_fat fat_polyunsaturated
  Protein protein
  Cholesterol cholesterol
  Sodium sodium
  Potassium potassium
  Calcium calcium
  Phosphorus phosphorus
  Magnesium magnesium
  Chloride chloride
  Iron iron
  Zinc zinc
  Manganese manganese
  Thiamin thiamin
  Riboflavin riboflavin
  Niacin niacin
  PantothenicAcid pantothenic_acid
  VitaminA vitamin_a
  VitaminB6 vitamin_b6
  VitaminB12 vitamin_b12
  VitaminC vitamin_c
  VitaminD vitamin_d
  VitaminE vitamin_e
  VitaminK vitamin_k
  Caffeine caffeine
  Biotin biotin
  Chromium chromium
  Copper copper
  Folate folate
  Iodine iodine
  Molybdenum molybdenum
  Selenium selenium
`);

/** `apple_stand_hour` is a count of hours, not the hours that HealthKit keeps: there is no sample to make of it. */
const CATEGORY_NAMES = words(`
  MindfulSession mindful_minutes mindful_session
  AppleStandHour apple_stand_hour
  HandwashingEvent handwashing
  ToothbrushingEvent toothbrushing
  SexualActivity sexual_activity
  SleepAnalysis sleep_analysis
`);

const key = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");

/** The HealthKit identifier that the app's name stands for, undefined for a name that is none of its own. */
export const typeOfName = (sent: unknown): string | undefined => {
  if (typeof sent !== "string" || sent.length > 100) return undefined;
  const name = key(sent);
  const quantity = QUANTITY_NAMES.get(name);
  if (quantity !== undefined) return `HKQuantityTypeIdentifier${quantity}`;
  const dietary = DIETARY_NAMES.get(name.replace(/^dietary_/, ""));
  if (dietary !== undefined) return `HKQuantityTypeIdentifierDietary${dietary}`;
  const category = CATEGORY_NAMES.get(name);
  return category === undefined ? undefined : `HKCategoryTypeIdentifier${category}`;
};

/** What the app calls units that HealthKit calls otherwise. Its fluid ounce is the one of the United States. */
const UNITS = new Map([
  ["fl oz", "fl_oz_us"],
  ["fl_oz", "fl_oz_us"],
  ["ml", "mL"],
  ["l", "L"],
  ["lbs", "lb"],
  ["BPM", "count/min"],
  ["brpm", "count/min"],
  ["breaths/min", "count/min"],
  ["km/h", "km/hr"],
  ["kph", "km/hr"],
  ["mph", "mi/hr"],
  ["hours", "hr"],
  ["minutes", "min"],
  ["seconds", "s"],
  ["sec", "s"],
  ["\u00b0C", "degC"],
  ["\u00b0F", "degF"],
  ["steps", "count"],
]);

export const unitOf = (sent: unknown): unknown => (typeof sent === "string" ? (UNITS.get(sent) ?? sent) : sent);
