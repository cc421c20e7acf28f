import { expect, test } from "vitest";
import { type DayInput, dayMetrics } from "../../src/domain/day-metrics.ts";
import { NO_SETTINGS, aSample, at, changed, digest, steps, uuid } from "./make.ts";

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
