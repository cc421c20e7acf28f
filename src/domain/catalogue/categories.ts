import { type MetricDefinition, category, interval, snakeCase } from "./definition.ts";
import { NO_UNIT, timeIn } from "./units.ts";

const none = { unit: "", units: NO_UNIT } as const;

/** The names that an export writes, whole, with their numbers. */
const names = (prefix: string, values: Readonly<Record<string, number>>): ReadonlyMap<string, number> =>
  new Map(Object.entries(values).map(([name, value]) => [`HKCategoryValue${prefix}${name}`, value]));

/** Older systems write `Asleep` for what is `AsleepUnspecified` now: both are 1 (§2). */
const SLEEP = names("SleepAnalysis", {
  InBed: 0,
  Asleep: 1,
  AsleepUnspecified: 1,
  Awake: 2,
  AsleepCore: 3,
  AsleepDeep: 4,
  AsleepREM: 5,
});
const STAND_HOUR = names("AppleStandHour", { Stood: 0, Idle: 1 });
const NOT_APPLICABLE = names("", { NotApplicable: 0 });

const event = (name: string): MetricDefinition =>
  category(name, { key: snakeCase(name), categories: NOT_APPLICABLE }, none);

const SLEEP_TOTAL = { metric: "sleep_duration", rule: "provider_total", unit: "s", units: timeIn("s") } as const;
const MINDFUL = { metric: "mindful_time", rule: "day_sum/1", units: timeIn("min") } as const;

/** `mood` is a scale of its own: no provider sends its total. */
const MOOD = { metric: "mood", rule: "mood/1", unit: "score", units: new Map() } as const;

const MIND_ALIASES = [
  "HKCategoryTypeIdentifierStateOfMind",
  "HKDataTypeIdentifierStateOfMind",
  "HKDataTypeStateOfMind",
  "HKStateOfMindType",
  "HKStateOfMindTypeIdentifier",
] as const;

/** What has no quantity: categories, state of mind, workouts and heartbeat series (healthkit.md §1.1, §1.2, §2). */
// prettier-ignore
export const CATEGORY_TYPES: readonly MetricDefinition[] = [
  category("SleepAnalysis", { key: "sleep_analysis", categories: SLEEP, touches: [1, 2], daily: SLEEP_TOTAL }, none),
  category("AppleStandHour", { key: "stand_hour", categories: STAND_HOUR }, none),
  category("MindfulSession", { key: "mindful_session", categories: NOT_APPLICABLE, aggregation: "C", overlap: "add", value: "minutes", hard: [0, 1440], daily: MINDFUL }, { unit: "min", units: NO_UNIT }),
  event("HighHeartRateEvent"),
  event("LowHeartRateEvent"),
  event("IrregularHeartRhythmEvent"),
  event("SleepApneaEvent"),
  event("HypertensionEvent"),
  interval("HKStateOfMind", { key: "state_of_mind", aggregation: "A", aliases: MIND_ALIASES, value: "sent", metadataValue: "StateOfMindValence", valueInId: true, hard: [-1, 1], soft: [-1, 1], daily: MOOD }, NO_UNIT),
  interval("HKWorkoutTypeIdentifier", { key: "workout", touches: [0, 1] }, NO_UNIT),
  interval("HKDataTypeIdentifierHeartbeatSeries", { key: "hrv_rmssd", aggregation: "A", unit: "ms", value: "rmssd", hard: [0, 500] }, NO_UNIT),
];
