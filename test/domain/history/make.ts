import * as fc from "fast-check";
import type { DayFacts } from "../../../src/domain/history/facts.ts";
import { addDays } from "../../../src/domain/local-day.ts";
import type { LocalDate } from "../../../src/domain/sample.ts";
import type { SleepSession } from "../../../src/domain/sleep/session.ts";
import { at, uuid } from "../make.ts";

export const D = "2026-03-10";
/** The date n days after 2026-03-10. */
export const day = (n: number): LocalDate => addDays(D, n);

type Night = NonNullable<DayFacts["main_sleep"]>;

/** A perfect night of 470 minutes that began at 23:00. */
export const aNight = (over: Partial<Night> = {}): Night => ({
  session_id: uuid(1),
  onset_minute: 660,
  total_sleep_s: 470 * 60,
  deep_s: 70 * 60,
  rem_s: 100 * 60,
  awake_s: 12 * 60,
  wakeup_count: 1,
  ...over,
});

/** The same facts on each of the days from −n to −1, with what `vary` says of the n-th. */
export const days = (n: number, vary: (back: number) => Partial<DayFacts>): Map<LocalDate, DayFacts> =>
  new Map(Array.from({ length: n }, (_, at) => [day(-n + at), { final: true, ...vary(n - at) }] as const));

/** Values that alternate around a mean, `spread` away. */
export const around = (mean: number, spread: number) => (back: number) => mean + (back % 2 === 0 ? spread : -spread);

/** Facts of a usual day, which vary a little around the same figures. */
export const usual = (back: number): Partial<DayFacts> => ({
  main_sleep: aNight(),
  hrv: Math.exp(around(4, 0.2)(back)),
  resting_hr: { value: around(50, 2)(back), series: "derived" },
  respiratory_rate: around(14, 0.5)(back),
  skin_temp: around(35, 0.2)(back),
  sedentary_hr: { mean: around(70, 3)(back), n: 10 },
  ln_sdnn: { mean: around(4, 0.2)(back), n: 4 },
});

export const aSession = (over: Partial<SleepSession> = {}): SleepSession => ({
  session_id: uuid(1),
  athlete_id: "a1",
  date: D,
  source: "Watch",
  kind: "main",
  is_main_sleep: true,
  start_at: at("2026-03-09T22:30:00Z"),
  end_at: at("2026-03-10T06:30:00Z"),
  onset_at: at("2026-03-09T23:00:00Z"),
  final_wake_at: at("2026-03-10T06:30:00Z"),
  tz: "UTC",
  time_in_bed_s: 28_800,
  total_sleep_s: 26_000,
  deep_s: 3600,
  rem_s: 5400,
  light_s: 17_000,
  awake_s: 600,
  unspecified_s: 0,
  gap_s: 0,
  onset_latency_s: 1800,
  wakeup_count: 1,
  efficiency: 0.9,
  hrv_ms: null,
  resting_hr: null,
  avg_hr: null,
  min_hr: null,
  respiratory_rate: null,
  spo2: null,
  spo2_min: null,
  superseded_by: null,
  provenance: {},
  ...over,
});

const figure = fc.record({ mean: fc.double({ min: 40, max: 90, noNaN: true }), n: fc.integer({ min: 1, max: 9 }) });
const night = fc
  .record({
    onset_minute: fc.integer({ min: 500, max: 900 }),
    total_sleep_s: fc.integer({ min: 2000, max: 36_000 }),
    awake_s: fc.option(fc.integer({ min: 0, max: 9000 })),
    stages: fc.boolean(),
    typed: fc.constantFrom(false, false, false, true),
  })
  .map(({ stages, typed, ...over }) =>
    aNight({
      ...over,
      ...(stages ? {} : { deep_s: null, rem_s: null }),
      ...(typed ? { user_entered: true as const } : {}),
    }),
  );

/** Facts of one day, whole or in part. */
export const arbitraryFacts: fc.Arbitrary<DayFacts> = fc
  .record(
    {
      main_sleep: night,
      hrv: fc.double({ min: 10, max: 120, noNaN: true }),
      resting_hr: fc.record({
        value: fc.integer({ min: 40, max: 80 }),
        series: fc.constantFrom("derived", "apple_health:watch"),
      }),
      respiratory_rate: fc.double({ min: 10, max: 20, noNaN: true }),
      skin_temp: fc.double({ min: 34, max: 37, noNaN: true }),
      sedentary_hr: figure,
      ln_sdnn: figure,
    },
    { requiredKeys: [] },
  )
  .map((facts) => ({ final: true, ...facts }));

/** Facts of most days in the n days before 2026-03-10 and of that day. */
export const arbitraryPast = (n: number): fc.Arbitrary<Map<LocalDate, DayFacts>> =>
  fc
    .array(fc.option(arbitraryFacts, { freq: 8 }), { minLength: n + 1, maxLength: n + 1 })
    .map((all) => new Map(all.flatMap((facts, at) => (facts === null ? [] : [[day(at - n), facts] as const]))));
