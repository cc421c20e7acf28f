import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { DayFacts } from "../../../src/domain/history/facts.ts";
import { HISTORY_DAYS, HISTORY_METRICS, historyOf } from "../../../src/domain/history/history-of.ts";
import type { LocalDate } from "../../../src/domain/sample.ts";
import { digest, uuid } from "../make.ts";
import { D, aNight, arbitraryFacts, arbitraryPast, around, day, days, usual } from "./make.ts";

type Facts = Map<LocalDate, DayFacts>;
const on = (past: Facts, today: Partial<DayFacts>, date = D) =>
  historyOf(new Map([...past, [date, { final: true, ...today }]]), [date], digest).get(date);
const metric = (past: Facts, today: Partial<DayFacts>, name: string) =>
  on(past, today)?.metrics.find((one) => one.metric === name);
const value = (past: Facts, today: Partial<DayFacts>, name: string) => metric(past, today, name)?.value;

test("a usual day has all four, in order, derived, with unit and method", () => {
  const today = { ...usual(0), hrv: Math.exp(4), resting_hr: { value: 50, series: "derived" }, skin_temp: 35 };
  const result = on(days(60, usual), { ...today, respiratory_rate: 14 });
  expect(result?.metrics.map(({ metric: name }) => name)).toEqual(HISTORY_METRICS);
  expect(result?.metrics.map(({ source, unit, method }) => [source, unit, method])).toEqual([
    ["derived", "score", "readiness/1"],
    ["derived", "degC", "wtemp_dev/1"],
    ["derived", "score", "sleep_score/1"],
    ["derived", "score", "stress/1"],
  ]);
  for (const { input_hash } of result?.metrics ?? []) expect(input_hash).toMatch(/^[0-9a-f]{64}$/);
});

test("a date without facts has nothing", () => {
  expect(historyOf(days(60, usual), [D], digest).get(D)).toEqual({ score: null, metrics: [], final: true });
});

test("the session of the main sleep gets its score with components, or nulls under an hour of sleep", () => {
  const scored = on(days(5, usual), { main_sleep: aNight({ session_id: uuid(9), onset_minute: 705 }) });
  expect(scored?.score).toMatchObject({ session_id: uuid(9), sleep_score: 91, score_method: "sleep_score/1" });
  expect(scored?.score?.score_components).toMatchObject({
    algo: "sleep_score/1",
    duration: 50,
    interruptions: 20,
    inputs: { onset_minute: 705, median_onset_minute: 660, bedtime_deviation: 45, bedtime_nights: 5 },
  });
  const short = on(days(5, usual), { main_sleep: aNight({ total_sleep_s: 3000 }) });
  const nothing = { session_id: uuid(1), sleep_score: null, score_components: null, score_method: null };
  expect(short).toMatchObject({ score: nothing, metrics: [] });
});

const nights = (n: number, minute: (back: number) => number) =>
  days(n, (back) => ({ main_sleep: aNight({ onset_minute: minute(back) }) }));
const inputs = (past: Facts) => {
  const components = on(past, { main_sleep: aNight({ onset_minute: 700 }) })?.score?.score_components;
  return components?.["inputs"];
};

test("bedtime is compared with the last 13 nights within 21 days, at least 5", () => {
  expect(inputs(nights(4, () => 600))).toMatchObject({ bedtime_missing: "too_few_days", bedtime_nights: 4 });
  expect(inputs(nights(5, () => 600))).toMatchObject({ bedtime_nights: 5, bedtime_deviation: 100 });
  const settled = nights(20, (back) => (back > 13 ? 0 : 690));
  expect(inputs(settled)).toMatchObject({ bedtime_nights: 13, bedtime_deviation: 10 });
  const sparse = new Map([...nights(40, (back) => (back > 21 ? 0 : 650))].filter((_, at) => at % 4 === 0));
  expect(inputs(sparse)).toMatchObject({ bedtime_nights: 5, median_onset_minute: 650 });
});

test("a night that was typed in has a score but enters no baseline", () => {
  const typed = days(30, () => ({ main_sleep: aNight({ user_entered: true }), ...usual(1), hrv: 50 }));
  for (const facts of typed.values()) facts.main_sleep = aNight({ user_entered: true });
  const result = on(typed, usual(1));
  expect(result?.score?.sleep_score).toBe(100);
  expect(result?.score?.score_components?.["inputs"]).toMatchObject({ bedtime_nights: 0 });
  expect(result?.metrics[0]?.provenance["missing"]).toMatchObject({ sleep_score: { missing: "too_few_days", n: 0 } });
  const today = on(days(30, usual), { ...usual(1), main_sleep: aNight({ user_entered: true }) });
  expect(today?.metrics[0]?.provenance["missing"]).toEqual({ sleep_score: { missing: "no_value" } });
  expect(today?.metrics.find(({ metric: name }) => name === "sleep_score")?.provenance["user_entered"]).toBe(true);
});

test("readiness tells each term's value, baseline, weight and points, and the band in which HRV means nothing", () => {
  const past = days(20, (back) => ({
    hrv: Math.exp(around(4, 0.2)(back)),
    resting_hr: { value: 50, series: "derived" },
  }));
  const result = metric(past, { hrv: Math.exp(4.2), resting_hr: { value: 51, series: "derived" } }, "readiness");
  const week = (3.8 * 3 + 4.2 * 4) / 7;
  const sd = 0.2 * Math.sqrt(20 / 19);
  const hrv = (week - 4) / sd;
  expect(result?.value).toBe(Math.floor(70 + 20 * ((0.4 * hrv - 0.25) / 0.65) + 0.5));
  const [terms, band] = [result?.provenance["terms"], result?.provenance["hrv_band"]] as [
    Record<string, unknown>,
    number[],
  ];
  expect(terms).toMatchObject({
    hrv: { weight: 0.4, baseline: { n: 20, provisional: true } },
    resting_hr: { value: 51, z: 1, points: -1, weight: 0.25, baseline: { n: 20, mean: 50, sd: 1 } },
  });
  expect(Object.keys(terms)).toEqual(["hrv", "resting_hr"]);
  expect(band[0]).toBeCloseTo(4 - sd / 2, 9);
  expect(band[1]).toBeCloseTo(4 + sd / 2, 9);
  expect(result?.provenance).toMatchObject({
    resting_hr_series: "derived",
    days: { from: day(-60), to: day(-1) },
    missing: {
      sleep_score: { missing: "no_value" },
      respiratory_rate: { missing: "no_value" },
      skin_temp: { missing: "no_value" },
    },
  });
});

const hrv = (n: number, skip: (back: number) => boolean = () => false) =>
  days(n, (back) => (skip(back) ? {} : { hrv: Math.exp(around(4, 0.2)(back)) }));

test("the HRV term needs a value on the day itself, three in its week, and 14 days of baseline", () => {
  const rest = { resting_hr: { value: 50, series: "derived" }, main_sleep: aNight() };
  const missing = (past: Facts, today: Partial<DayFacts>) => {
    for (const [date, facts] of past) past.set(date, { ...facts, ...rest });
    return metric(past, { ...rest, ...today }, "readiness")?.provenance["missing"];
  };
  expect(missing(hrv(30), { hrv: 55 })).not.toHaveProperty("hrv");
  expect(missing(hrv(30), {})).toMatchObject({ hrv: { missing: "no_value" } });
  expect(
    missing(
      hrv(30, (back) => back < 6),
      { hrv: 55 },
    ),
  ).toMatchObject({ hrv: { missing: "too_few_recent_days", n: 2 } });
  expect(
    missing(
      hrv(30, (back) => back > 13),
      { hrv: 55 },
    ),
  ).toMatchObject({ hrv: { missing: "too_few_days", n: 13 } });
  expect(
    value(
      hrv(30, (back) => back > 14),
      { hrv: 55 },
      "readiness",
    ),
  ).toBeDefined();
});

test("resting heart rates of another series enter no baseline: a new watch, or derived ones, begin anew", () => {
  const past = days(40, (back) => ({
    main_sleep: aNight(),
    resting_hr: back > 10 ? { value: 40, series: "apple_health:old" } : { value: 60, series: "derived" },
  }));
  const readiness = (series: string) =>
    metric(past, { main_sleep: aNight(), resting_hr: { value: 41, series } }, "readiness");
  expect(readiness("apple_health:old")?.provenance["terms"]).toMatchObject({
    resting_hr: { baseline: { n: 30, mean: 40 } },
  });
  expect(readiness("derived")).toBeUndefined();
  expect(readiness("apple_health:new")).toBeUndefined();
});

test("temperature enters readiness with a floor of 0.1 °C", () => {
  const past = days(30, () => ({ hrv: 55, skin_temp: 35 }));
  const terms = metric(past, { hrv: 55, skin_temp: 35.05 }, "readiness")?.provenance["terms"];
  expect(terms).toMatchObject({ skin_temp: { baseline: { sd: 0.1 } } });
});

test("stress needs three samples of each on the day, and days of at least three in its baselines", () => {
  const past = days(60, usual);
  const today = { sedentary_hr: { mean: 73, n: 3 }, ln_sdnn: { mean: 4, n: 9 } };
  // z is 3 / (3·√(60/59)), and Φ(0.595) is 0.724.
  expect(value(past, today, "stress")).toBe(72);
  expect(metric(past, today, "stress")?.provenance).toMatchObject({
    sedentary_hr: { value: 73, n: 3, baseline: { n: 60, mean: 70 } },
    ln_sdnn: { value: 4, n: 9 },
    days: { from: day(-60), to: day(-1) },
  });
  expect(value(past, { ...today, sedentary_hr: { mean: 73, n: 2 } }, "stress")).toBeUndefined();
  expect(value(past, { ...today, ln_sdnn: { mean: 4, n: 2 } }, "stress")).toBeUndefined();
  const thin = days(60, (back) => ({ ...usual(back), ln_sdnn: { mean: 4, n: back > 13 ? 2 : 3 } }));
  expect(value(thin, today, "stress")).toBeUndefined();
});

test("temperature deviates from the median of the nights before", () => {
  const past = days(40, (back) => ({ skin_temp: back > 28 ? 30 : 35 }));
  expect(metric(past, { skin_temp: 35.5 }, "skin_temp_deviation")).toMatchObject({
    value: 0.5,
    provenance: { value: 35.5, baseline: { n: 28, median: 35 }, days: { from: day(-28), to: day(-1) } },
  });
  expect(
    value(
      days(4, () => ({ skin_temp: 35 })),
      { skin_temp: 35.5 },
      "skin_temp_deviation",
    ),
  ).toBeUndefined();
});

test("a date is final once it and every date that it can read have closed", () => {
  const past = days(90, usual);
  expect(on(past, usual(1))?.final).toBe(true);
  expect(on(past, { ...usual(1), final: false })?.final).toBe(false);
  expect(on(new Map([...past, [day(-81), { final: false, hrv: 50 }]]), usual(1))?.final).toBe(false);
  expect(on(new Map([...past, [day(-82), { final: false, hrv: 50 }]]), usual(1))?.final).toBe(true);
});

test("results do not depend on facts out of reach, on later days, nor on the order in which facts came", () => {
  fc.assert(
    fc.property(arbitraryPast(120), arbitraryFacts, (past, later) => {
      const all = historyOf(past, [D], digest).get(D);
      const reach = new Map([...past].filter(([date]) => date >= day(-HISTORY_DAYS.back)));
      expect(historyOf(reach, [D], digest).get(D)).toEqual(all);
      const more = new Map([...past.entries(), [day(1), later] as const].toReversed());
      expect(historyOf(more, [D, day(1)], digest).get(D)).toEqual(all);
    }),
    { numRuns: 50 },
  );
});

test("facts that came through JSON with their members in another order give the same hashes", () => {
  const past = days(30, usual);
  const stored = new Map(
    [...past, [D, { final: true, ...usual(1) }] as const].map(([date, facts]) => {
      const turned = JSON.parse(JSON.stringify(facts), (_, value: unknown) =>
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).toReversed())
          : value,
      ) as DayFacts;
      return [date, turned] as const;
    }),
  );
  expect(historyOf(stored, [D], digest).get(D)).toEqual(on(past, usual(1)));
});

test("years of dates in one call are the same as each date alone", () => {
  const past = days(400, usual);
  const dates = [...past.keys()];
  const together = historyOf(past, dates, digest);
  for (const date of dates.filter((_, at) => at % 37 === 0))
    expect(historyOf(past, [date], digest).get(date)).toEqual(together.get(date));
});
