import { expect, test } from "vitest";
import { type DayInput, dayMetrics } from "../../src/domain/day-metrics.ts";
import { NO_SETTINGS, aSample, at, changed, digest, steps, uuid } from "./make.ts";
import { night as asleep, rows, sessions, vital } from "./sleep/night.ts";

const day = (over: Partial<DayInput>) =>
  dayMetrics({ date: "2026-03-10", samples: [], totals: [], sessions: [], settings: NO_SETTINGS, ...over }, digest);

const watch = steps("watch", ["12:00:00", "12:10:00"], 1000);
const phone = steps("phone", ["12:05:00", "12:15:00"], 901, { sample_id: uuid(2) });
const night = Array.from({ length: 12 }, (_, n) =>
  aSample({ sample_id: uuid(100 + n), start_at: at("2026-03-10T01:00:00Z") + n * 300_000, value: 50.25 }),
);
const total = {
  date: "2026-03-10",
  metric: "steps",
  value: 1234,
  unit: "count",
  value_received: 1234,
  unit_received: "count",
};

test("a day without samples and totals has no metrics", () => {
  expect(day({})).toEqual([]);
});

test("steps are merged, rounded half up at the end, and say where they come from", () => {
  const [metric, ...others] = day({ samples: [watch, phone] });
  expect(others).toEqual([]);
  expect(metric).toMatchObject({
    metric: "steps",
    source: "derived",
    value: 1451,
    unit: "count",
    method: "steps_merge/1",
  });
  expect(metric?.provenance).toEqual({
    n: 2,
    sources: [
      { source_key: "com.apple.health.1|Watch7,5", samples: 1, counted: 1000 },
      { source_key: "com.apple.health.2|iPhone15,2", samples: 1, counted: 450.5 },
    ],
  });
});

test("a source that was set aside is named", () => {
  const [metric] = day({ samples: [watch, steps("phone", ["12:00:00", "12:10:00"], 900, { sample_id: uuid(2) })] });
  expect(metric?.provenance["sources"]).toMatchObject([{ counted: 1000 }, { counted: 0 }]);
});

test("a day with more steps than anybody walks is kept and flagged", () => {
  const samples = [watch, phone].map((sample) => changed(sample, { value: 50_000 }));
  expect(day({ samples })[0]).toMatchObject({ value: 75_000, provenance: { flags: ["soft_range"] } });
});

test("resting heart rate is not rounded", () => {
  expect(day({ samples: night })).toMatchObject([
    {
      metric: "resting_hr",
      source: "derived",
      value: 50.25,
      unit: "count/min",
      method: "rhr/1",
      provenance: { step: 2, n: 12, bins: 12 },
    },
  ]);
});

test("the provider's total stands beside the derived value, as it is", () => {
  const other = { ...total, date: "2026-03-11" };
  expect(day({ samples: [watch, ...night], totals: [other, total] }).map((m) => [m.metric, m.source, m.value])).toEqual(
    [
      ["resting_hr", "derived", 50.25],
      ["steps", "apple_health", 1234],
      ["steps", "derived", 1000],
    ],
  );
  expect(day({ totals: [total] })[0]).toMatchObject({ method: "provider_total", provenance: { value_received: 1234 } });
});

test("the input hash does not know when and in what order samples arrived", () => {
  const late = [phone, watch].map((sample) => changed(sample, { received_at: 9 }));
  expect(day({ samples: late })).toEqual(day({ samples: [watch, phone] }));
});

test("the input hash changes with whatever the rule reads", () => {
  const hash = (over: Partial<DayInput>) => day({ samples: [watch, phone], ...over })[0]?.input_hash;
  const order = { zones: [], source_order: { steps: ["com.apple.health.2|iPhone15,2"] } };
  const changed = [
    {},
    { settings: order },
    { samples: [watch] },
    { samples: [{ ...watch, value: 999 }, phone] },
    { samples: [{ ...watch, attributes: { ...watch.attributes, sync_version: 1 } }, phone] },
  ];
  expect(new Set(changed.map(hash)).size).toBe(changed.length);
});

test("samples of neighbouring days change neither value nor hash", () => {
  const before = steps("watch", ["00:00:00", "00:00:00"], 50, {
    sample_id: uuid(3),
    start_at: at("2026-03-09T23:00:00Z"),
    end_at: at("2026-03-10T00:00:00Z"),
  });
  const after = steps("watch", ["00:00:00", "00:00:00"], 50, {
    sample_id: uuid(4),
    start_at: at("2026-03-11T00:00:00Z"),
    end_at: at("2026-03-11T01:00:00Z"),
  });
  expect(day({ samples: [before, watch, after, phone, ...night] })).toEqual(day({ samples: [watch, phone, ...night] }));
});

test("a day whose samples all lost their time to another date has no steps", () => {
  const lost = steps("phone", ["16:00:00", "16:10:00"], 100, { sample_id: uuid(2), tz: "America/Los_Angeles" });
  const won = steps("watch", ["16:00:00", "16:10:00"], 100, { tz: "Asia/Tokyo" });
  expect(day({ samples: [lost, won] })).toEqual([]);
  expect(day({ date: "2026-03-11", samples: [lost, won] })).toMatchObject([{ metric: "steps", value: 100 }]);
});

/** Asleep from 22:00 to 02:00, in bed from 21:45. */
const nightSleep = [
  ...asleep("watch", "2026-03-09T22:00:00Z", [
    ["core", 120],
    ["rem", 120],
  ]),
  ...rows("phone", [["inBed", "2026-03-09T21:45:00Z", "2026-03-10T02:00:00Z"]]),
];
const nap = asleep("watch", "2026-03-10T13:00:00Z", [["asleep", 30]]);
const slept = (...more: Parameters<typeof sessions>[0][]) => {
  const samples = [...nightSleep, ...nap, ...more.flat()];
  return day({ samples, sessions: sessions(samples) });
};
const named = (name: string, found: ReturnType<typeof day>) => found.find(({ metric }) => metric === name);

test("the main sleep gives the date's duration, efficiency and latency", () => {
  const found = slept();
  expect(found.map(({ metric, source, value, unit, method }) => [metric, source, value, unit, method])).toEqual([
    ["sleep_duration", "derived", 14_400, "s", "sleep_session/1"],
    ["sleep_efficiency", "derived", 240 / 255, "fraction", "sleep_session/1"],
    ["sleep_latency", "derived", 900, "s", "sleep_session/1"],
  ]);
  expect(found[0]?.provenance).toMatchObject({ source_key: "com.apple.health.1|Watch7,5", tst_24h_s: 14_400 + 1800 });
});

const all = (samples: Parameters<typeof sessions>[0], date = "2026-03-10") =>
  day({ date, samples, sessions: sessions(samples) }).map(({ metric }) => metric);

test("without a bedtime there is no latency; a nap, a night in bed only and another date's sleep are no main sleep", () => {
  expect(all(nightSleep.slice(0, 2))).toEqual(["sleep_duration", "sleep_efficiency"]);
  expect(all(nap)).toEqual([]);
  expect(all(nightSleep.slice(2))).toEqual([]);
  expect(all(nightSleep, "2026-03-09")).toEqual([]);
});

test("what another source tells of the same night, and nobody's sleep, are not in the day's total", () => {
  const app = asleep("app", "2026-03-09T22:30:00Z", [["asleep", 60]]);
  const bed = rows("phone", [["inBed", "2026-03-10T15:00:00Z", "2026-03-10T19:00:00Z"]]);
  expect(named("sleep_duration", slept(app, bed))?.provenance["tst_24h_s"]).toBe(14_400 + 1800);
});

test("the provider's total of sleep stands beside ours", () => {
  const said = { ...total, metric: "sleep_duration", value: 25_000, unit: "s" };
  const samples = nightSleep;
  const found = day({ samples, sessions: sessions(samples), totals: [said] });
  expect(found.slice(0, 2).map(({ source, value }) => [source, value])).toEqual([
    ["apple_health", 25_000],
    ["derived", 14_400],
  ]);
});

const hash = (...more: Parameters<typeof sessions>[0][]) => named("sleep_duration", slept(...more))?.input_hash;

test("heart rate that comes later does not touch the duration's hash, another onset does", () => {
  expect(hash([vital("heart_rate", "2026-03-09T23:00:00Z", 50)])).toBe(hash());
  expect(hash(asleep("watch", "2026-03-09T21:00:00Z", [["core", 60]]))).not.toBe(hash());
});

test.each([
  ["hrv", "hrv_sdnn", 50, 60],
  ["spo2", "spo2", 0.95, 0.99],
  ["respiratory_rate", "respiratory_rate", 14, 18],
])(
  "%s is that of the main sleep, also where it began the day before; without any there, of the day",
  (name, key, a, b) => {
    const night = vital(key, "2026-03-09T23:00:00Z", a);
    const noon = vital(key, "2026-03-10T12:00:00Z", b);
    const inNight = named(name, slept([night, noon]));
    expect(inNight).toMatchObject({ value: a, provenance: { n: 1, scope: "main_sleep" } });
    expect(named(name, slept([noon]))).toMatchObject({ value: b, provenance: { n: 1, scope: "day" } });
    expect(named(name, day({ samples: [night, noon] }))).toMatchObject({ value: b, provenance: { scope: "day" } });
  },
);

test.each(["hrv_sdnn", "spo2", "respiratory_rate"])(
  "%s of another date, outside the main sleep, is none of its",
  (key) => {
    const evening = vital(key, "2026-03-09T20:00:00Z", 50);
    expect(slept([evening]).map(({ metric }) => metric)).toEqual(slept().map(({ metric }) => metric));
  },
);

test("an aggregate in the night counts only on days without samples (D21)", () => {
  const point = vital("spo2", "2026-03-09T23:00:00Z", 0.91, { attributes: { aggregated: true } });
  const noon = vital("spo2", "2026-03-10T12:00:00Z", 0.99);
  expect(named("spo2", slept([point]))).toMatchObject({ value: 0.91, provenance: { scope: "main_sleep" } });
  expect(named("spo2", slept([point, noon]))).toMatchObject({ value: 0.99, provenance: { scope: "day" } });
});

test("the derived resting heart rate is that of the main sleep", () => {
  const beats = Array.from({ length: 12 }, (_, n) => vital("heart_rate", at("2026-03-09T22:00:00Z") + n * 300_000, 47));
  expect(named("resting_hr", slept(beats, night))).toMatchObject({ value: 47, provenance: { step: 2, n: 24 } });
  expect(named("resting_hr", day({ samples: [...beats, ...night] }))).toMatchObject({ value: 50.25 });
});
