import { expect, test } from "vitest";
import { type FactsInput, factsOf } from "../../../src/domain/history/facts-of.ts";
import { type DayFacts, factsHash } from "../../../src/domain/history/facts.ts";
import type { MetricValue } from "../../../src/domain/metric-value.ts";
import type { Sample } from "../../../src/domain/sample.ts";
import { aSample, at, digest, uuid } from "../make.ts";
import { D, aSession } from "./make.ts";

const facts = (over: Partial<FactsInput>): DayFacts | null =>
  factsOf({ date: D, final: true, metrics: [], sessions: [], samples: [], ...over });

const value = (metric: string, number: number, over: Partial<MetricValue> = {}): MetricValue => ({
  metric,
  source: "derived",
  value: number,
  unit: "",
  method: "any/1",
  input_hash: "",
  provenance: {},
  ...over,
});
const reported = (metric: string, number: number, provenance: Record<string, unknown> = {}): MetricValue =>
  value(metric, number, { source: "apple_health", provenance });

let next = 0;
/** A sample of 2026-03-10, by a person's hand where it says so. */
const one = (metric: string, time: string, number: number, attributes: Sample["attributes"] = {}): Sample => {
  next += 1;
  return aSample({ metric, sample_id: uuid(next), start_at: at(`2026-03-10T${time}Z`), value: number, attributes });
};
const typed = { user_entered: true } as const;
const sitting = { motion_context: 1 } as const;

test("a day without anything that later days read is not remembered", () => {
  expect(facts({})).toBeNull();
  expect(
    facts({ metrics: [value("steps", 9000), value("spo2", 0.97)], samples: [one("steps", "10:00:00", 9)] }),
  ).toBeNull();
});

test("a day remembers its HRV, breath, temperature and resting heart rate as the rules gave them", () => {
  const metrics = [
    value("hrv", 45),
    reported("hrv", 99),
    value("respiratory_rate", 14.5),
    reported("skin_temp", 35.4, { n: 1 }),
    reported("resting_hr", 52, { step: 1, source_key: "com.apple.health.1|Watch7,5" }),
  ];
  expect(facts({ metrics, final: false })).toEqual({
    final: false,
    hrv: 45,
    respiratory_rate: 14.5,
    skin_temp: 35.4,
    resting_hr: { value: 52, series: "apple_health:com.apple.health.1|Watch7,5" },
  });
});

test("resting heart rate says whose it is: the device's by source, the provider's total, or derived", () => {
  const derived = value("resting_hr", 55, { method: "rhr/1" });
  const total = value("resting_hr", 53, { source: "apple_health", method: "provider_total" });
  expect(facts({ metrics: [derived] })?.resting_hr).toEqual({ value: 55, series: "derived" });
  expect(facts({ metrics: [total, derived] })?.resting_hr).toEqual({ value: 53, series: "provider_total" });
});

test("what a person typed into Health is not remembered: the derived value stands instead, if there is one", () => {
  const hand = [
    reported("resting_hr", 40, { source_key: "me", user_entered: true }),
    reported("skin_temp", 36, { user_entered: true }),
  ];
  expect(facts({ metrics: hand })).toBeNull();
  expect(facts({ metrics: [...hand, value("resting_hr", 55)] })).toEqual({
    final: true,
    resting_hr: { value: 55, series: "derived" },
  });
});

test("HRV and breath are made anew without typed values, of the main sleep, else of the day", () => {
  const day = [
    one("hrv_sdnn", "12:00:00", 40),
    one("hrv_sdnn", "13:00:00", 60),
    one("hrv_sdnn", "14:00:00", 200, typed),
  ];
  const breath = [
    one("respiratory_rate", "02:00:00", 14),
    one("respiratory_rate", "03:00:00", 15),
    one("respiratory_rate", "04:00:00", 40, typed),
  ];
  const metrics = [value("hrv", 60), value("respiratory_rate", 23)];
  expect(facts({ metrics, samples: [...day, ...breath] })).toMatchObject({ hrv: 50, respiratory_rate: 14.5 });
  const asleep = one("hrv_sdnn", "03:00:00", 44);
  expect(facts({ metrics, samples: [...day, asleep], sessions: [aSession()] })?.hrv).toBe(44);
  expect(facts({ metrics, samples: day, sessions: [aSession()] })?.hrv).toBe(50);
  expect(facts({ metrics, samples: day.slice(2) })).toEqual({ final: true, respiratory_rate: 23 });
});

test("the mean sedentary heart rate and the mean ln SDNN are those of the local day, measured, with their counts", () => {
  const samples = [
    one("heart_rate", "10:00:00", 60, sitting),
    one("heart_rate", "11:00:00", 64, sitting),
    one("heart_rate", "12:00:00", 120, { motion_context: 2 }),
    one("heart_rate", "13:00:00", 90),
    one("heart_rate", "14:00:00", 20, { ...sitting, ...typed }),
    { ...one("heart_rate", "00:00:00", 30, sitting), local_date: "2026-03-09" },
    one("hrv_sdnn", "10:00:00", Math.E ** 3),
    one("hrv_sdnn", "11:00:00", Math.E ** 4),
  ];
  const result = facts({ samples });
  expect(result?.sedentary_hr).toEqual({ mean: 62, n: 2 });
  expect(result?.ln_sdnn?.n).toBe(2);
  expect(result?.ln_sdnn?.mean).toBeCloseTo(3.5, 12);
  expect(facts({ samples: samples.toReversed() })).toEqual(result);
});

test("aggregates are remembered only of days without samples (D21)", () => {
  const hourly = one("heart_rate", "10:00:00", 80, { ...sitting, aggregated: true });
  expect(facts({ samples: [hourly] })?.sedentary_hr).toEqual({ mean: 80, n: 1 });
  const both = [hourly, one("heart_rate", "11:00:00", 60, sitting)];
  expect(facts({ samples: both })?.sedentary_hr).toEqual({ mean: 60, n: 1 });
});

test.each([
  ["2026-03-09T22:30:00Z", "UTC", 630],
  ["2026-03-10T00:00:00Z", "UTC", 720],
  ["2026-03-09T22:30:30Z", "Europe/Amsterdam", 690.5],
  ["2026-03-09T12:00:00Z", "UTC", 0],
  ["2026-03-10T11:59:00Z", "UTC", 1439],
  // 23:30 by the clock, on the night when clocks go forward
  ["2026-03-28T22:30:00Z", "Europe/Amsterdam", 690],
])("an onset at %s in %s is minute %f after noon, by the wall clock (D24)", (onset, tz, minute) => {
  const session = aSession({ onset_at: at(onset), tz });
  expect(facts({ sessions: [session] })?.main_sleep?.onset_minute).toBe(minute);
});

test("a day remembers its main sleep, no nap, and none of another date", () => {
  const nap = aSession({ kind: "nap", is_main_sleep: false, session_id: uuid(2) });
  expect(facts({ sessions: [nap, aSession()] })?.main_sleep).toEqual({
    session_id: uuid(1),
    onset_minute: 660,
    total_sleep_s: 26_000,
    deep_s: 3600,
    rem_s: 5400,
    awake_s: 600,
    wakeup_count: 1,
  });
  expect(facts({ sessions: [nap] })).toBeNull();
  expect(facts({ sessions: [aSession({ date: "2026-03-09" })] })).toBeNull();
});

const segment = (number: number, over: Partial<Sample>) => ({
  ...one("sleep_analysis", "01:00:00", number, typed),
  end_at: at("2026-03-10T02:00:00Z"),
  ...over,
});
const entered = (sample: Sample) => facts({ sessions: [aSession()], samples: [sample] })?.main_sleep?.user_entered;

test("a night that a person typed in says so; what others slept or lay in bed does not make it so", () => {
  expect(entered(segment(1, {}))).toBe(true);
  expect(entered(segment(3, { attributes: {} }))).toBeUndefined();
  expect(entered(segment(0, {}))).toBeUndefined();
  expect(entered(segment(1, { source: "Other" }))).toBeUndefined();
  expect(
    entered(segment(1, { start_at: at("2026-03-10T07:00:00Z"), end_at: at("2026-03-10T08:00:00Z") })),
  ).toBeUndefined();
  expect(
    entered(segment(1, { start_at: at("2026-03-09T21:00:00Z"), end_at: at("2026-03-09T22:00:00Z") })),
  ).toBeUndefined();
  expect(entered(segment(1, { metric: "workout" }))).toBeUndefined();
});

test("the hash of facts does not depend on the order of their members, and tells any change", () => {
  const a: DayFacts = { final: true, hrv: 45, sedentary_hr: { mean: 60, n: 5 } };
  const b: DayFacts = { sedentary_hr: { n: 5, mean: 60 }, hrv: 45, final: true };
  expect(factsHash(a, digest)).toBe(factsHash(b, digest));
  expect(factsHash(a, digest)).toMatch(/^[0-9a-f]{64}$/);
  const others: DayFacts[] = [
    { ...a, final: false },
    { ...a, hrv: 46 },
    { ...a, sedentary_hr: { mean: 60, n: 6 } },
  ];
  expect(new Set([a, ...others].map((one) => factsHash(one, digest))).size).toBe(4);
});
