import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stepsMerge } from "../../../src/domain/steps-merge.ts";
import type { Sample } from "../../../src/domain/sample.ts";
import {
  cumulativeBuckets,
  cumulativeDays,
  discreteBuckets,
  discreteDays,
  figuresOf,
  sumWithin,
} from "../../../src/query/buckets.ts";
import { aSample, arbitrarySteps, at, steps, uuid } from "../../domain/make.ts";

const utc = (): string => "UTC";
const hour = { from: at("2026-03-10T12:00:00Z"), to: at("2026-03-10T13:00:00Z") };

const beat = (time: string, value: number, over: Partial<Sample> = {}): Sample =>
  aSample({ start_at: at(`2026-03-10T${time}Z`), value, sample_id: uuid(at(`2026-03-10T${time}Z`) % 1e9), ...over });

test("a discrete sample counts in the bucket of its start, and empty buckets are left out", () => {
  const buckets = discreteBuckets([beat("12:00:00", 60), beat("12:04:59", 80), beat("12:10:00", 50)], 300_000);
  expect(buckets).toEqual([
    {
      start_at: at("2026-03-10T12:00:00Z"),
      end_at: at("2026-03-10T12:05:00Z"),
      date: null,
      min: 60,
      mean: 70,
      max: 80,
      count: 2,
    },
    {
      start_at: at("2026-03-10T12:10:00Z"),
      end_at: at("2026-03-10T12:15:00Z"),
      date: null,
      min: 50,
      mean: 50,
      max: 50,
      count: 1,
    },
  ]);
});

test("an aggregate's own extremes count, but only on a day without samples", () => {
  const aggregate = beat("12:00:00", 70, { attributes: { aggregated: true, min: 40, max: 170 } });
  expect(figuresOf([aggregate])).toEqual({ min: 40, mean: 70, max: 170, count: 1 });
  expect(discreteBuckets([aggregate, beat("12:01:00", 60)], 3_600_000)).toMatchObject([{ min: 60, max: 60, count: 1 }]);
});

test("a walk seen by watch and phone counts once, split by time over the buckets", () => {
  const walk = [
    steps("watch", ["12:00:00", "12:10:00"], 1000, { sample_id: uuid(1) }),
    steps("phone", ["12:05:00", "12:15:00"], 600, { sample_id: uuid(2) }),
  ];
  expect(cumulativeBuckets(walk, 300_000, hour, []).map((bucket) => bucket.sum)).toEqual([500, 500, 300]);
});

test("a bucket at the edge of the range holds only what lies inside", () => {
  const walk = [steps("watch", ["11:50:00", "12:10:00"], 1000)];
  const [first] = cumulativeBuckets(walk, 3_600_000, hour, []);
  expect(first).toMatchObject({ start_at: hour.from, sum: 500 });
});

test("buckets of any length add up to what steps_merge makes of the whole", () => {
  const range = { from: at("2026-03-08T00:00:00Z"), to: at("2026-03-12T00:00:00Z") };
  fc.assert(
    fc.property(arbitrarySteps(), fc.constantFrom(300_000, 900_000, 3_600_000), (samples, length) => {
      let whole = 0;
      const inside = samples.filter((s) => s.start_at >= range.from && s.end_at < range.to);
      for (const { value } of stepsMerge(inside, []).values()) whole += value;
      const parts = cumulativeBuckets(inside, length, range, []).reduce((sum, bucket) => sum + bucket.sum, 0);
      expect(parts).toBeCloseTo(whole, 6);
      expect(sumWithin(inside, range.from, range.to, [])).toBeCloseTo(whole, 6);
    }),
  );
});

test("days are the samples' own local dates, of 23 hours where clocks go forward", () => {
  const zone = "America/New_York";
  const range = { first: "2026-03-08", last: "2026-03-08", zoneAt: () => zone };
  const [day] = discreteDays(
    [aSample({ start_at: at("2026-03-08T06:00:00Z"), local_date: "2026-03-08", tz: zone })],
    range,
  );
  expect(day).toMatchObject({
    date: "2026-03-08",
    start_at: at("2026-03-08T05:00:00Z"),
    end_at: at("2026-03-09T04:00:00Z"),
  });
});

test("a cumulative sample over midnight is dealt out to both days, of which only the asked ones are given", () => {
  const late = steps("watch", ["00:00:00", "00:00:00"], 100, {
    start_at: at("2026-03-10T23:30:00Z"),
    end_at: at("2026-03-11T00:30:00Z"),
  });
  const range = { first: "2026-03-11", last: "2026-03-11", zoneAt: utc };
  expect(cumulativeDays([late], range, [])).toMatchObject([{ date: "2026-03-11", sum: 50 }]);
});
