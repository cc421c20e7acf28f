import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nameUuid, NAMESPACE } from "./audit/identity.ts";

/** Files of clients that we have no door for, as the native batches that a gateway would make of them. */
export const SAMPLES = join(import.meta.dirname, "../samples");

export const fileText = (path: string): string => readFileSync(join(SAMPLES, path), "utf8");
const json = (path: string): unknown => JSON.parse(fileText(path));

const idOf = (name: string): string => nameUuid(NAMESPACE, name);

export type NativeBatch = { samples: unknown[]; deleted?: unknown[]; anchor?: string; time_zone?: string };

type BridgeInterval = { start_time: string; end_time: string };
type Bridge = {
  sources: { source_key: string; name: string; bundle_id: string; device_model: string }[];
  health_types: { type_code: string; aliases: string[] }[];
  samples: (BridgeInterval & {
    client_record_id: string;
    source_key: string;
    type_code: string;
    value: number;
    unit: string;
    metadata: object;
  })[];
  workouts: (BridgeInterval & { client_record_id: string; source_key: string; workout_type: string })[];
  sleep_sessions: {
    client_record_id: string;
    source_key: string;
    stage_intervals: (BridgeInterval & { stage: string })[];
  }[];
  deleted_records: { client_record_id: string }[];
  sync: { cursors: unknown[] };
};

const STAGES: Readonly<Record<string, number>> = { in_bed: 0, awake: 2, core: 3, light: 3, deep: 4, rem: 5 };
const SLEEP = "HKCategoryTypeIdentifierSleepAnalysis";
const WORKOUT = "HKWorkoutTypeIdentifier";

const interval = ({ start_time: start, end_time: end }: BridgeInterval) => ({ start, end });

/** The bridge's batch: type codes by their aliases, sources by their keys, cursors as the anchor. */
export const bridgeBatch = (): NativeBatch => {
  const bridge = json("bridge/batch-v1.json") as Bridge;
  const sources = new Map(
    bridge.sources.map(({ source_key, name, bundle_id, device_model }) => [
      source_key,
      { name, bundle_id, product_type: device_model },
    ]),
  );
  const types = new Map(bridge.health_types.map(({ type_code, aliases }) => [type_code, aliases[0]]));
  const samples = bridge.samples.map((sample) => ({
    uuid: idOf(sample.client_record_id),
    type: types.get(sample.type_code),
    ...interval(sample),
    value: sample.value,
    unit: sample.unit,
    source: sources.get(sample.source_key),
    metadata: sample.metadata,
  }));
  const workouts = bridge.workouts.map((workout) => ({
    uuid: idOf(workout.client_record_id),
    type: WORKOUT,
    ...interval(workout),
    source: sources.get(workout.source_key),
    metadata: { workoutActivityType: workout.workout_type },
  }));
  const segments = bridge.sleep_sessions.flatMap((session) =>
    session.stage_intervals.map((part, index) => ({
      uuid: idOf(`${session.client_record_id}-${index}`),
      type: SLEEP,
      ...interval(part),
      value: STAGES[part.stage],
      source: sources.get(session.source_key),
    })),
  );
  return {
    samples: [...samples, ...workouts, ...segments],
    deleted: bridge.deleted_records.map(({ client_record_id }) => ({ uuid: idOf(client_record_id) })),
    anchor: JSON.stringify(bridge.sync.cursors),
  };
};

type BridgeLine = BridgeInterval & {
  record_family: string;
  client_record_id: string;
  source_key: string;
  type_code?: string;
  value?: number;
  unit?: string;
};

const lineSample = (line: BridgeLine, type: string, more: object = {}) => {
  const source = { name: line.source_key };
  return { uuid: idOf(line.client_record_id), type, ...interval(line), source, ...more };
};

/** The bridge's batch as lines: sources and types without bundles and aliases, a night without its stages. */
export const bridgeLines = (): NativeBatch => {
  const lines = fileText("bridge/batch-v1.ndjson")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as BridgeLine);
  const of = (family: string): BridgeLine[] => lines.filter(({ record_family }) => record_family === family);
  return {
    samples: [
      ...of("sample").map((line) => {
        const { value, unit } = line;
        return lineSample(line, "HKQuantityTypeIdentifierStepCount", { value, unit });
      }),
      ...of("workout").map((line) => lineSample(line, WORKOUT)),
      ...of("sleep_session").map((line) => lineSample(line, SLEEP, { value: STAGES["in_bed"] })),
    ],
    deleted: of("deleted_record").map(({ client_record_id }) => ({ uuid: idOf(client_record_id) })),
  };
};

type Row = { date?: string; startDate?: string; endDate?: string; source?: string; value?: number; stage?: string };
type Week = Partial<Record<keyof typeof WEEK_TYPES | "sleep" | "workouts", Row[]>> & {
  activity: (Row & { stepCount: number; distance: number; activeCalories: number })[];
};

/** SpO2 is given in percent; the percent rule makes it a fraction, and flags it. */
const WEEK_TYPES = {
  heartRate: ["HKQuantityTypeIdentifierHeartRate", "count/min"],
  restingHeartRate: ["HKQuantityTypeIdentifierRestingHeartRate", "count/min"],
  hrv: ["HKQuantityTypeIdentifierHeartRateVariabilitySDNN", "ms"],
  bloodOxygen: ["HKQuantityTypeIdentifierOxygenSaturation", "%"],
  respiratoryRate: ["HKQuantityTypeIdentifierRespiratoryRate", "count/min"],
  bodyTemperature: ["HKQuantityTypeIdentifierBodyTemperature", "degC"],
} as const;
const ACTIVITY = [
  ["stepCount", "HKQuantityTypeIdentifierStepCount", "count"],
  ["distance", "HKQuantityTypeIdentifierDistanceWalkingRunning", "m"],
  ["activeCalories", "HKQuantityTypeIdentifierActiveEnergyBurned", "kcal"],
] as const;

/** A generated week: `light` is HealthKit's core, steps are fractions. */
export const weekBatch = (name: string): NativeBatch => {
  const week = json(`synthetic-json/${name}.json`) as Week;
  let n = 0;
  const sample = (row: Row, type: string, more: object) => {
    const start = row.startDate ?? row.date;
    const end = row.endDate ?? start;
    // Several values of one moment occur: the number tells them apart.
    n += 1;
    return { uuid: idOf(`${name}|${n}`), type, start, end, source: { name: row.source ?? null }, ...more };
  };
  const measures = (Object.keys(WEEK_TYPES) as (keyof typeof WEEK_TYPES)[]).flatMap((key) => {
    const [type, unit] = WEEK_TYPES[key];
    return (week[key] ?? []).map((row) => sample(row, type, { value: row.value, unit }));
  });
  const activity = week.activity.flatMap((row) =>
    ACTIVITY.map(([field, type, unit]) => sample(row, type, { value: row[field], unit })),
  );
  const sleep = (week.sleep ?? []).map((row) => sample(row, SLEEP, { value: STAGES[row.stage ?? ""] }));
  const workouts = (week.workouts ?? []).map((row) => sample(row, WORKOUT, {}));
  return { samples: [...measures, ...activity, ...sleep, ...workouts] };
};

const iso = (text: string, offset: string): string => `${text.replace(" ", "T")}${offset}`;

/** Local times without a zone: they are read in `offset`, and dated by it. */
export const stepBatches = (offset: string, size = 5000): { batches: NativeBatch[]; days: Map<string, number> } => {
  const [, ...lines] = fileText("apple-watch-steps/watch-steps-part1.csv").trim().split(/\r?\n/);
  const days = new Map<string, number>();
  const samples = lines.map((line) => {
    const [device = "", start = "", end = "", steps = ""] = line.split(",");
    const date = start.slice(0, 10);
    days.set(date, (days.get(date) ?? 0) + Number(steps));
    const type = "HKQuantityTypeIdentifierStepCount";
    const uuid = idOf(`steps|${start}|${end}`);
    return {
      uuid,
      type,
      start: iso(start, offset),
      end: iso(end, offset),
      value: Number(steps),
      unit: "count",
      source: { name: device },
    };
  });
  const batches = Array.from({ length: Math.ceil(samples.length / size) }, (_, n) => ({
    time_zone: offset,
    samples: samples.slice(n * size, (n + 1) * size),
  }));
  return { batches, days };
};
