import * as fc from "fast-check";
import { expect, test } from "vitest";
import { METRICS } from "../../src/domain/catalogue.ts";
import { type DayInput, dayMetrics } from "../../src/domain/day-metrics.ts";
import type { Sample } from "../../src/domain/sample.ts";
import { NO_SETTINGS, aSample, at, digest, shuffled, uuid } from "./make.ts";

const day = (samples: readonly Sample[], over: Partial<DayInput> = {}) =>
  dayMetrics({ date: "2026-03-10", samples, totals: [], sessions: [], settings: NO_SETTINGS, ...over }, digest);

let next = 0;
type Over = NonNullable<Parameters<typeof aSample>[0]>;
/** A sample at a time of 2026-03-10 (UTC). */
const one = (metric: string, time: string, value: number, over: Over = {}): Sample => {
  next += 1;
  const start_at = at(`2026-03-10T${time}Z`);
  return aSample({ sample_id: uuid(9000 + next), metric, start_at, end_at: start_at, value, ...over });
};
const figures = (samples: readonly Sample[], over: Partial<DayInput> = {}) =>
  day(samples, over).map(({ metric, source, value, unit, method }) => [metric, source, value, unit, method]);
const aggregated = { attributes: { aggregated: true } } as const;

test.each([
  ["body_mass", "weight", "kg"],
  ["body_fat", "body_fat", "fraction"],
  ["lean_body_mass", "lean_body_mass", "kg"],
  ["bmi", "bmi", "kg/m\u00b2"],
  ["height", "height", "m"],
  ["waist", "waist", "m"],
  ["vo2_max", "vo2max", "mL/kg/min"],
  ["walking_heart_rate_avg", "walking_hr", "count/min"],
])("%s: the latest sample of the local day is the provider's %s", (key, metric, unit) => {
  const samples = [one(key, "08:00:00", 1), one(key, "21:00:00", 3), one(key, "12:00:00", 2)];
  const yesterday = one(key, "00:00:00", 9, { local_date: "2026-03-09" });
  expect(figures([...samples, yesterday])).toEqual([[metric, "apple_health", 3, unit, "day_latest/1"]]);
});

test("of two at one moment the one that ends, then was saved last counts, then the larger id", () => {
  const early = one("body_mass", "08:00:00", 70, { attributes: { created: 1 } });
  const late = one("body_mass", "08:00:00", 71, { attributes: { created: 2 } });
  const unsaved = one("body_mass", "08:00:00", 72);
  const same = one("body_mass", "08:00:00", 73, { attributes: { created: 2, user_entered: true } });
  expect(day([late, early, unsaved])[0]).toMatchObject({ value: 71, provenance: { n: 3, sample_id: late.sample_id } });
  expect(day([same, late])[0]).toMatchObject({ value: 73, provenance: { user_entered: true } });
  const long = one("body_mass", "08:00:00", 74, { end_at: at("2026-03-10T08:00:01Z") });
  expect(day([same, long])[0]).toMatchObject({ value: 74 });
});

test("the device's resting heart rate counts, Watch first, then latest saved, then latest end; no derived one then", () => {
  const night = Array.from({ length: 12 }, (_, n) =>
    one("heart_rate", "01:00:00", 50, { start_at: at("2026-03-10T01:00:00Z") + n * 300_000 }),
  );
  const app = one("resting_heart_rate", "09:00:00", 61, { attributes: { created: 9, device_class: "app" } });
  const watch = (value: number, created: number, end: string) =>
    one("resting_heart_rate", "00:00:00", value, {
      end_at: at(`2026-03-10T${end}Z`),
      attributes: { created, device_class: "watch" },
    });
  const all = [app, watch(55, 1, "23:00:00"), watch(56, 2, "20:00:00"), watch(57, 2, "21:00:00")];
  expect(figures([...night, ...all])).toEqual([["resting_hr", "apple_health", 57, "count/min", "rhr/1"]]);
  expect(day([...night, ...all])[0]?.provenance).toMatchObject({ step: 1, n: 4 });
  expect(figures(night)).toEqual([["resting_hr", "derived", 50, "count/min", "rhr/1"]]);
  const bare = one("resting_heart_rate", "09:00:00", 60);
  expect(day([bare, one("resting_heart_rate", "10:00:00", 62)])[0]?.value).toBe(62);
});

test("a resting heart rate of another date is none, and of two that are alike the larger id counts", () => {
  const elsewhere = one("resting_heart_rate", "00:00:00", 60, { local_date: "2026-03-09" });
  expect(day([elsewhere])).toEqual([]);
  const [first, second] = [one("resting_heart_rate", "09:00:00", 60), one("resting_heart_rate", "09:00:00", 61)];
  expect(day([second, first])[0]).toMatchObject({ value: 61, provenance: { sample_id: second.sample_id } });
});

test("a workout in the night moves the derived resting heart rate and its hash", () => {
  const night = Array.from({ length: 24 }, (_, n) =>
    one("heart_rate", "01:00:00", n < 6 ? 40 : 60, { start_at: at("2026-03-10T01:00:00Z") + n * 300_000 }),
  );
  const workout = one("workout", "00:55:00", 0, { end_at: at("2026-03-10T01:27:00Z") });
  const [before, after] = [day(night)[0], day([...night, workout])[0]];
  expect([before?.value, after?.value]).toEqual([40, 60]);
  expect(before?.input_hash).not.toBe(after?.input_hash);
});

test("skin temperature is dated by the end of its sample, in the sample's zone", () => {
  const night = one("sleeping_wrist_temp", "00:00:00", 35.4, {
    start_at: at("2026-03-09T21:00:00Z"),
    end_at: at("2026-03-10T05:00:00Z"),
    local_date: "2026-03-09",
  });
  const nap = { ...night, sample_id: uuid(8000), value: 36, end_at: at("2026-03-10T04:00:00Z") };
  expect(figures([nap, night])).toEqual([["skin_temp", "apple_health", 35.4, "degC", "day_latest_by_end/1"]]);
  expect(day([{ ...night, tz: "-08:00" }])).toEqual([]);
});

test("hrv is the day's median until there is a sleep, of low quality under three samples", () => {
  const three = [30, 80, 40].map((value, n) => one("hrv_sdnn", `0${n}:00:00`, value));
  expect(figures(three)).toEqual([["hrv", "derived", 40, "ms", "hrv/1"]]);
  expect(day(three)[0]?.provenance).toMatchObject({ n: 3, scope: "day" });
  expect(day(three.slice(0, 2))[0]).toMatchObject({ value: 55, provenance: { quality: "low" } });
});

test("spo2 and breathing are means of the day, unrounded", () => {
  const samples = [
    one("spo2", "01:00:00", 0.95),
    one("spo2", "02:00:00", 0.98),
    one("respiratory_rate", "01:00:00", 14),
    one("respiratory_rate", "02:00:00", 15),
  ];
  expect(figures(samples)).toEqual([
    ["respiratory_rate", "derived", 14.5, "count/min", "sleep_mean/1"],
    ["spo2", "derived", (0.95 + 0.98) / 2, "fraction", "sleep_mean/1"],
  ]);
});

test("blood pressure and glucose are means of the day", () => {
  const samples = [
    one("blood_pressure_systolic", "07:00:00", 118),
    one("blood_pressure_systolic", "19:00:00", 122),
    one("blood_pressure_diastolic", "07:00:00", 76),
    one("blood_glucose", "07:00:00", 90),
    one("blood_glucose", "09:00:00", 120),
  ];
  expect(figures(samples)).toEqual([
    ["blood_glucose", "derived", 105, "mg/dL", "day_mean/1"],
    ["blood_pressure_diastolic", "derived", 76, "mmHg", "day_mean/1"],
    ["blood_pressure_systolic", "derived", 120, "mmHg", "day_mean/1"],
  ]);
});

const pair = (systolic: number, diastolic: number, group: string | null) => {
  const attributes = group === null ? {} : { group_id: group };
  return [
    one("blood_pressure_systolic", "07:00:00", systolic, { attributes }),
    one("blood_pressure_diastolic", "07:00:00", diastolic, { attributes }),
  ];
};

test("a pressure whose systolic part is not above its diastolic one is set aside, where group and start say it is one", () => {
  expect(day([...pair(80, 120, "g"), ...pair(120, 80, "h")])).toMatchObject([
    { metric: "blood_pressure_diastolic", value: 80, provenance: { set_aside: 1 } },
    { metric: "blood_pressure_systolic", value: 120, provenance: { set_aside: 1 } },
  ]);
  expect(day(pair(90, 90, "g"))).toEqual([]);
  expect(day(pair(80, 120, null))).toHaveLength(2);
});

const during = (metric: string, value: number, device_class: "watch" | "phone") =>
  one(metric, "12:00:00", value, {
    end_at: at("2026-03-10T12:10:00Z"),
    source: device_class,
    attributes: { device_class },
  });

test("distance, flights, energy, exercise and standing are merged over sources; flights are a count", () => {
  const keys = ["distance_walk_run", "flights", "active_energy", "basal_energy", "exercise_time", "stand_time"];
  const samples = keys.flatMap((key) => [during(key, 10.4, "watch"), during(key, 9, "phone")]);
  expect(figures(samples)).toEqual([
    ["active_energy", "derived", 10.4, "kcal", "steps_merge/1"],
    ["basal_energy", "derived", 10.4, "kcal", "steps_merge/1"],
    ["distance", "derived", 10.4, "m", "steps_merge/1"],
    ["exercise_time", "derived", 10.4, "min", "steps_merge/1"],
    ["flights", "derived", 10, "count", "steps_merge/1"],
    ["stand_time", "derived", 10.4, "min", "steps_merge/1"],
  ]);
  expect(day(samples).find(({ metric }) => metric === "basal_energy")?.provenance).toMatchObject({
    flags: ["soft_range"],
  });
});

test("nutrition is a plain sum over all sources, and two equal entries of one moment are two", () => {
  const samples = [1, 2, 3].map(() => one("caffeine", "08:00:00", 80));
  expect(figures(samples)).toEqual([["caffeine", "derived", 240, "mg", "day_sum/1"]]);
});

test("an interval over midnight is apportioned by time, an instant belongs to its date", () => {
  const start_at = at("2026-03-09T23:30:00Z");
  const session = one("mindful_session", "00:00:00", 60, {
    start_at,
    end_at: at("2026-03-10T00:30:00Z"),
    local_date: "2026-03-09",
  });
  expect(figures([session])).toEqual([["mindful_time", "derived", 30, "min", "day_sum/1"]]);
  expect(day([session], { date: "2026-03-09" })).toMatchObject([{ value: 30 }]);
  expect(day([session], { date: "2026-03-11" })).toEqual([]);
  const last = one("water", "23:59:59.900", 200, { local_date: "2026-03-10" });
  expect(day([last])).toMatchObject([{ value: 200 }]);
  expect(day([last], { date: "2026-03-11" })).toEqual([]);
});

test("aggregates count only on days without samples (D21)", () => {
  for (const metric of ["hrv_sdnn", "spo2", "blood_glucose", "body_mass", "water", "sleeping_wrist_temp"]) {
    const [point, sample] = [one(metric, "20:00:00", 9, aggregated), one(metric, "08:00:00", 5)];
    expect(day([point, sample])).toMatchObject([{ value: 5 }]);
    expect(day([point])).toMatchObject([{ value: 9 }]);
  }
});

const mind = (value: number, metadata: Record<string, unknown>) =>
  one("state_of_mind", "20:00:00", value, { attributes: { metadata } });

test("the latest daily mood is offered as mood; momentary emotions are none", () => {
  const cases: [number, number][] = [
    [-1, 1],
    [-0.75, 2],
    [0, 3],
    [0.2, 3],
    [0.25, 4],
    [1, 5],
  ];
  for (const [valence, score] of cases)
    expect(figures([mind(valence, { HKStateOfMindKind: 2 })])).toEqual([
      ["mood", "apple_health", score, "score", "mood/1"],
    ]);
  const kinds = [{ HKMetadataKeyStateOfMindKind: "2" }, { kind: "daily_mood" }];
  for (const metadata of kinds) expect(day([mind(0, metadata)])).toHaveLength(1);
  expect(day([mind(0, { HKStateOfMindKind: 1 }), one("state_of_mind", "21:00:00", 1)])).toEqual([]);
});

const total = (metric: string, value: number, unit: string) => ({
  date: "2026-03-10",
  metric,
  value,
  unit,
  value_received: value,
  unit_received: unit,
});

test("a provider's total replaces what its samples would give, and stands beside what we derive", () => {
  const samples = [one("body_mass", "08:00:00", 70), one("water", "08:00:00", 100)];
  expect(figures(samples, { totals: [total("weight", 71, "kg"), total("water", 150, "mL")] })).toEqual([
    ["water", "apple_health", 150, "mL", "provider_total"],
    ["water", "derived", 100, "mL", "day_sum/1"],
    ["weight", "apple_health", 71, "kg", "provider_total"],
  ]);
});

test("every type with an athlete metric gives at most one value a day and source, in any order of its samples", () => {
  const samples = fc.array(
    fc
      .record({
        metric: fc.constantFrom(...METRICS.map(({ key }) => key)),
        minute: fc.integer({ min: -600, max: 2000 }),
        length: fc.constantFrom(0, 1, 30, 600),
        value: fc.double({ min: 0, max: 100, noNaN: true }),
        kind: fc.constantFrom(1, 2),
      })
      .map(({ metric, minute, length, value, kind }) => {
        const start_at = at("2026-03-10T00:00:00Z") + minute * 60_000;
        const attributes = { metadata: { HKStateOfMindKind: kind } };
        return one(metric, "00:00:00", value, {
          start_at,
          end_at: start_at + length * 60_000,
          local_date: new Date(start_at).toISOString().slice(0, 10),
          attributes,
        });
      }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(shuffled(samples), ([a, b]) => {
      const result = day(a);
      expect(day(b)).toEqual(result);
      const names = result.map(({ metric, source }) => `${metric} ${source}`);
      expect(new Set(names).size).toBe(names.length);
      expect(result.every(({ value }) => Number.isFinite(value))).toBe(true);
    }),
  );
});
