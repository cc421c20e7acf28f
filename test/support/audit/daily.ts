import type { Expected } from "./expected-samples.ts";
import { mean, median } from "./figures.ts";
import { originKey } from "./identity.ts";
import { historyOf, type DayValues } from "./history.ts";
import { localDateOf, nextDate } from "./local-time.ts";
import { during, nightValues, sleepOf, type NightValues } from "./night-values.ts";
import { nightsOf, type Night } from "./nights.ts";
import { resting, type Span } from "./resting.ts";
import { sleepScore, type Score } from "./score.ts";
import { mergedSums } from "./steps.ts";
import { allTypes } from "./types.ts";

/** A value that must stand. `whole`: rounded half up at the end (D17). */
export type Due = { value: number; unit: string; whole: boolean };
export type FullNight = Night & NightValues & { score: Score | null };
/** Everything that an athlete's live samples ask for. `due` by `date|metric|source`. */
export type Asked = { due: Map<string, Due>; nights: FullNight[] };

type Orders = Readonly<Record<string, readonly string[]>>;
type By = (metric: string) => readonly Expected[];
type Put = (key: readonly [date: string, metric: string, source: string], value: number, unit: string) => void;

const SCORES = new Set(["steps", "flights", "mood", "sleep_score", "readiness", "stress"]);
const MERGED = {
  steps: "count",
  flights: "count",
  distance: "m",
  active_energy: "kcal",
  basal_energy: "kcal",
} as const;
const MERGED_TIMES = { exercise_time: "min", stand_time: "min" } as const;
const LATEST = [
  ["weight", "body_mass", "kg"],
  ["body_fat", "body_fat", "fraction"],
  ["lean_body_mass", "lean_body_mass", "kg"],
  ["bmi", "bmi", "kg/m²"],
  ["height", "height", "m"],
  ["waist", "waist", "m"],
  ["vo2max", "vo2_max", "mL/kg/min"],
  ["walking_hr", "walking_heart_rate_avg", "count/min"],
] as const;
const MEANS = [
  ["blood_pressure_systolic", "mmHg"],
  ["blood_pressure_diastolic", "mmHg"],
  ["blood_glucose", "mg/dL"],
] as const;

const byDay = (samples: readonly Expected[], dateOf = (s: Expected) => s.local_date): Map<string, Expected[]> => {
  const days = Map.groupBy(samples, dateOf);
  // D21: aggregates count only on days without samples.
  for (const [date, own] of days) {
    const real = own.filter((s) => !s.aggregated);
    if (real.length > 0) days.set(date, real);
  }
  return days;
};

const latest = (own: readonly Expected[], by: (s: Expected) => number): Expected | undefined =>
  own.toSorted(
    (a, b) =>
      by(b) - by(a) ||
      b.end_at - a.end_at ||
      (b.created ?? -1) - (a.created ?? -1) ||
      (a.sample_id > b.sample_id ? -1 : 1),
  )[0];
const start = (s: Expected): number => s.start_at;
const end = (s: Expected): number => s.end_at;

const isWatch = (s: Expected): boolean =>
  s.origin.product_type?.startsWith("Watch") ?? /\bwatch\b/i.test(s.origin.name);

/** D12: the Watch's, then the one created last. */
const toldResting = (own: readonly Expected[]): Expected | undefined => {
  const watch = own.filter(isWatch);
  return latest(watch.length > 0 ? watch : own, (s) => s.created ?? -1);
};
/** D3: a wrist temperature is of the day that it ends on. */
const temperatures = (by: By): Map<string, Expected[]> =>
  byDay(by("sleeping_wrist_temp"), (s) => localDateOf(s.end_at, s.tz));

const providers = (by: By, put: Put): void => {
  for (const [metric, key, unit] of LATEST) {
    for (const [date, own] of byDay(by(key))) put([date, metric, "apple_health"], latest(own, start)?.value ?? 0, unit);
  }
  for (const [date, own] of byDay(by("resting_heart_rate")))
    put([date, "resting_hr", "apple_health"], toldResting(own)?.value ?? 0, "count/min");
  for (const [date, own] of temperatures(by))
    put([date, "skin_temp", "apple_health"], latest(own, end)?.value ?? 0, "degC");
  for (const [date, own] of byDay(by("state_of_mind").filter((s) => s.daily_mood)))
    put([date, "mood", "apple_health"], 1 + 2 * ((latest(own, start)?.value ?? 0) + 1), "score");
};

/** Plain sums, apportioned at each midnight of the sample's zone. */
const sums = (samples: readonly Expected[]): Map<string, number> => {
  const out = new Map<string, number>();
  for (const s of samples) {
    const whole = s.end_at - s.start_at;
    let from = s.start_at;
    do {
      const to = whole === 0 ? from : Math.min(s.end_at, nextDate(from, s.tz));
      const date = localDateOf(from, s.tz);
      out.set(date, (out.get(date) ?? 0) + (whole === 0 ? s.value : (s.value * (to - from)) / whole));
      from = to;
    } while (from < s.end_at);
  }
  return out;
};

const ofDays = (by: By, orders: Orders, put: Put): void => {
  for (const [metric, unit] of Object.entries({ ...MERGED, ...MERGED_TIMES })) {
    const key = metric === "distance" ? "distance_walk_run" : metric;
    const order = orders[key] ?? orders[metric] ?? orders["*"] ?? [];
    for (const [date, value] of mergedSums(by(key), order)) put([date, metric, "derived"], value, unit);
  }
  for (const [metric, unit] of MEANS)
    for (const [date, own] of byDay(by(metric))) put([date, metric, "derived"], mean(own.map((s) => s.value)), unit);
  for (const type of allTypes().values()) {
    if (!type.dietary && type.metric !== "mindful_session") continue;
    const metric = type.metric === "mindful_session" ? "mindful_time" : type.metric;
    for (const [date, value] of sums(by(type.metric))) put([date, metric, "derived"], value, type.unit);
  }
};

/** What was measured in the main sleep, else on the day. */
const nightly = (samples: readonly Expected[], sleeps: ReadonlyMap<string, Span>): Map<string, number[]> => {
  const out = new Map([...byDay(samples)].map(([date, own]) => [date, own.map((s) => s.value)]));
  for (const [date, span] of sleeps) {
    const values = during(samples, span);
    if (values.length > 0) out.set(date, values);
  }
  return out;
};

const sleepValues = (nights: readonly FullNight[], put: Put): void => {
  for (const night of nights.filter((n) => n.is_main_sleep)) {
    const values = [
      ["sleep_score", night.score?.score ?? null, "score"],
      ["sleep_duration", night.total_sleep_s, "s"],
      ["sleep_efficiency", night.efficiency, "fraction"],
      ["sleep_latency", night.onset_latency_s, "s"],
    ] as const;
    for (const [metric, value, unit] of values) if (value !== null) put([night.date, metric, "derived"], value, unit);
  }
};

const THREE = 3;
const averaged = (own: readonly Expected[] | undefined, read: (s: Expected) => number): number | undefined =>
  own && own.length >= THREE ? mean(own.map(read)) : undefined;

const measured = (samples: readonly Expected[]): Expected[] => samples.filter((s) => !s.user_entered);
const present = <T extends object>(values: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)) as T;

type Nightly = (metric: string, figure: (values: readonly number[]) => number) => ReadonlyMap<string, number>;

/** What later dates read (D14, D15): nothing that a person typed into Health (§6). */
const daysOf = (by: By, due: ReadonlyMap<string, Due>, night: Nightly): Map<string, DayValues> => {
  const sedentary = byDay(measured(by("heart_rate")).filter((s) => s.motion_context === 1));
  const variability = byDay(measured(by("hrv_sdnn")));
  const told = byDay(by("resting_heart_rate"));
  const warmth = temperatures(by);
  const [hrv, breath] = [night("hrv_sdnn", median), night("respiratory_rate", mean)];
  const days = new Map<string, DayValues>();
  for (const date of new Set([...due.keys()].map((key) => key.slice(0, 10)))) {
    const own = toldResting(told.get(date) ?? []);
    const derived = due.get(`${date}|resting_hr|derived`)?.value;
    const temperature = latest(warmth.get(date) ?? [], end);
    days.set(
      date,
      present<DayValues>({
        hrv: hrv.get(date),
        breath: breath.get(date),
        // Resting heart rates of two sources are two series.
        resting:
          own && !own.user_entered
            ? { value: own.value, source: originKey(own.origin) }
            : derived === undefined
              ? undefined
              : { value: derived, source: "derived" },
        score: due.get(`${date}|sleep_score|derived`)?.value,
        temperature: temperature?.user_entered ? undefined : temperature?.value,
        sedentary: averaged(sedentary.get(date), (s) => s.value),
        lnSdnn: averaged(variability.get(date), (s) => Math.log(s.value)),
      }),
    );
  }
  return days;
};

/** All of healthkit.md §5.0 and the sessions of one athlete, from the live samples alone. */
export const askedOf = (athleteId: string, samples: readonly Expected[], orders: Orders): Asked => {
  const metrics = Map.groupBy(samples, (s) => s.metric);
  const by: By = (metric) => metrics.get(metric) ?? [];
  const due = new Map<string, Due>();
  const put: Put = ([date, metric, source], value, unit) =>
    void due.set(`${date}|${metric}|${source}`, { value, unit, whole: SCORES.has(metric) });
  const rates = resting(by("heart_rate"), by("steps"), by("workout"));
  const bare = nightsOf(athleteId, samples, orders["sleep_analysis"] ?? orders["*"] ?? []);
  const mains = new Map(bare.filter((n) => n.is_main_sleep).map((n) => [n.date, n]));
  const nights = bare.map((night) => ({
    ...night,
    ...nightValues(night, by, rates),
    score: night.is_main_sleep ? sleepScore(night, mains) : null,
  }));
  const sleeps = new Map(
    [...mains].flatMap(([date, night]) => {
      const span = sleepOf(night);
      return span ? [[date, span] as const] : [];
    }),
  );
  providers(by, put);
  ofDays(by, orders, put);
  for (const [date, rate] of rates.byDate(sleeps))
    if (!due.has(`${date}|resting_hr|apple_health`)) put([date, "resting_hr", "derived"], rate, "count/min");
  for (const [date, values] of nightly(by("hrv_sdnn"), sleeps)) put([date, "hrv", "derived"], median(values), "ms");
  for (const [date, values] of nightly(by("spo2"), sleeps)) put([date, "spo2", "derived"], mean(values), "fraction");
  for (const [date, values] of nightly(by("respiratory_rate"), sleeps))
    put([date, "respiratory_rate", "derived"], mean(values), "count/min");
  sleepValues(nights, put);
  const days = daysOf(by, due, (metric, figure) => {
    const found = nightly(measured(by(metric)), sleeps);
    return new Map([...found].map(([date, values]) => [date, figure(values)]));
  });
  for (const date of days.keys()) {
    for (const [metric, value] of Object.entries(historyOf(days, date)))
      if (value !== undefined)
        put([date, metric, "derived"], value, metric === "skin_temp_deviation" ? "degC" : "score");
  }
  return { due, nights };
};
