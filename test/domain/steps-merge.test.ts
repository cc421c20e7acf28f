import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Sample } from "../../src/domain/sample.ts";
import { sourceOrder } from "../../src/domain/source-order.ts";
import { sourceKeyOf } from "../../src/domain/source.ts";
import { mergeInputs, stepsMerge } from "../../src/domain/steps-merge.ts";
import { meetsAny, ownedRuns } from "../../src/domain/timeline.ts";
import { arbitrarySteps, at, shuffled, steps, uuid } from "./make.ts";

const value = (samples: Sample[], date = "2026-03-10", order: string[] = []): number | undefined =>
  stepsMerge(samples, order).get(date)?.value;
const total = (samples: Sample[], order: string[] = []): number =>
  [...stepsMerge(samples, order).values()].reduce((sum, day) => sum + day.value, 0);

const walk: [string, string] = ["12:00:00", "12:10:00"];
const watch = steps("watch", walk, 1000);
const phone = steps("phone", walk, 900, { sample_id: uuid(2) });

test("of an identical walk on watch and phone only the watch counts", () => {
  expect(value([watch, phone])).toBe(1000);
  expect(value([phone, watch])).toBe(1000);
});

test("with the watch on its charger the phone fills in", () => {
  expect(value([watch, phone, steps("phone", ["13:00:00", "13:10:00"], 700)])).toBe(1700);
});

test("deleting the watch's sample re-exposes the phone's", () => {
  expect(value([phone])).toBe(900);
});

test("where sources overlap in part, each counts for its part of time", () => {
  const later = steps("phone", ["12:05:00", "12:15:00"], 900);
  const merged = stepsMerge([watch, later], []).get("2026-03-10");
  expect(merged?.value).toBe(1450);
  expect(merged?.sources).toEqual(
    new Map([
      [sourceKeyOf(watch), 1000],
      [sourceKeyOf(later), 450],
    ]),
  );
});

test("a short sample of a better source is cut out of a long one", () => {
  expect(value([steps("phone", ["12:00:00", "13:00:00"], 600), steps("watch", ["12:20:00", "12:30:00"], 5)])).toBe(505);
});

test("watch, phone, other device, app, a person's entry: in this order, and the athlete's before all", () => {
  const all = (["manual", "app", "ring", "phone", "watch"] as const).map((device, n) =>
    steps(device, walk, 10 ** n, { sample_id: uuid(n + 1) }),
  );
  const winners = all.map((_, n) => value(all.slice(0, n + 1)));
  expect(winners).toEqual([1, 10, 100, 1000, 10_000]);
  expect(value(all, "2026-03-10", ["org.example.walk|", "com.apple.Health|", "org.example.walk|"])).toBe(10);
});

test("a sample that does not say what made it ranks with other devices", () => {
  const plain = { ...steps("app", walk, 5), attributes: {} };
  expect(value([plain, steps("app", walk, 10)])).toBe(5);
});

test("aggregates rank below every sample, a person's entry included (D21)", () => {
  const hourly = steps("watch", ["12:00:00", "13:00:00"], 6000, { attributes: { aggregated: true } });
  expect(value([hourly, steps("manual", walk, 10)])).toBe(5010);
});

const named = (bundle_id: string, n: number): Sample => steps("phone", walk, n, { attributes: { bundle_id } });

test("of equal ranks the smaller source key wins", () => {
  expect(value([named("b", 2), named("a", 1)])).toBe(1);
});

const of = (n: number, steps_: number, attributes = {}, times = walk): Sample =>
  steps("watch", times, steps_, { sample_id: uuid(n), attributes });

test("a source that overlaps itself: version, then creation, then density, then the larger id (D22)", () => {
  expect(value([of(1, 1, { sync_version: 2 }), of(2, 2, { sync_version: 1, created: 9 })])).toBe(1);
  expect(value([of(1, 1, { created: 9 }), of(2, 2, { created: 8 })])).toBe(1);
  expect(value([of(1, 1, { created: 9 }), of(2, 2)])).toBe(1);
  expect(value([of(1, 100), of(2, 120, {}, ["12:00:00", "12:20:00"])])).toBe(160);
  expect(value([of(1, 5), of(2, 5)])).toBe(5);
});

test("an instant is a second long, and one in a row of another source takes that second", () => {
  expect(value([steps("phone", ["12:00:00", "12:00:00"], 7)])).toBe(7);
  expect(value([steps("watch", ["12:00:30", "12:00:30"], 7), steps("phone", ["12:00:00", "12:01:00"], 60)])).toBe(66);
});

test("an interval over midnight is apportioned by time", () => {
  const over = steps("watch", ["23:45:00", "00:00:00"], 100, { end_at: at("2026-03-11T00:15:00Z") });
  expect([...stepsMerge([over], [])].map(([date, day]) => [date, day.value])).toEqual([
    ["2026-03-10", 50],
    ["2026-03-11", 50],
  ]);
});

test("a part belongs to its date in the zone of the sample that won it (D13)", () => {
  const tokyo = steps("watch", ["16:00:00", "16:10:00"], 100, { tz: "Asia/Tokyo" });
  const california = steps("phone", ["16:00:00", "16:20:00"], 200, { tz: "America/Los_Angeles" });
  const days = stepsMerge([california, tokyo], []);
  expect([...days].map(([date, day]) => [date, day.value])).toEqual([
    ["2026-03-11", 100],
    ["2026-03-10", 100],
  ]);
});

const over = (date: string): number | undefined => {
  const start_at = at(`${date}T23:00:00+01:00`);
  const hourly = steps("watch", walk, 120, { start_at, end_at: start_at + 2 * 3_600_000, tz: "Europe/Amsterdam" });
  return value([hourly], date);
};

test("23 and 25 hour days end at their own midnights", () => {
  expect(over("2026-03-28")).toBe(60);
  expect(over("2026-10-25")).toBe(60);
});

test("nothing in, nothing out", () => {
  expect(stepsMerge([], []).size).toBe(0);
  expect(mergeInputs("2026-03-10", [])).toEqual([]);
});

test("a day reads the samples that cover it, and those of other zones that compete with them", () => {
  const mine = steps("phone", ["16:00:00", "16:20:00"], 200, { sample_id: uuid(1), tz: "America/Los_Angeles" });
  const rival = steps("watch", ["16:10:00", "16:30:00"], 100, { sample_id: uuid(2), tz: "Asia/Tokyo" });
  const alone = steps("watch", ["16:30:00", "16:40:00"], 100, { sample_id: uuid(3), tz: "Asia/Tokyo" });
  const before = steps("watch", ["15:00:00", "16:00:00"], 100, { sample_id: uuid(4), tz: "Asia/Tokyo" });
  const inputs = mergeInputs("2026-03-10", [alone, rival, mine, before]);
  expect(inputs.map(({ sample_id }) => sample_id)).toEqual([uuid(2), uuid(1)]);
  expect(mergeInputs("2026-03-12", [alone, rival, mine])).toEqual([]);
});

test("runs join where one owner goes on, and time that nobody covers belongs to no run", () => {
  const runs = ownedRuns([
    { start_at: 5000, end_at: 6000 },
    { start_at: 0, end_at: 4000 },
    { start_at: 1000, end_at: 2000 },
  ]);
  expect(runs).toEqual([
    { from: 0, to: 4000, owner: 1 },
    { from: 5000, to: 6000, owner: 0 },
  ]);
  expect([meetsAny(runs, 4000, 5000), meetsAny(runs, 3999, 4000), meetsAny(runs, 6000, 7000)]).toEqual([
    false,
    true,
    false,
  ]);
});

test("the athlete's order is that of the metric, else of all", () => {
  const settings = { zones: [], source_order: { "*": ["a"], steps: ["b"] } };
  expect(sourceOrder(settings, "steps")).toEqual(["b"]);
  expect(sourceOrder(settings, "heart_rate")).toEqual(["a"]);
  expect(sourceOrder(settings, "constructor")).toEqual(["a"]);
  expect(sourceOrder({ zones: [], source_order: {} }, "steps")).toEqual([]);
});

test("the order of samples does not matter", () => {
  fc.assert(
    fc.property(shuffled(arbitrarySteps()), ([a, b]) => {
      expect(stepsMerge(b, [])).toEqual(stepsMerge(a, []));
    }),
  );
});

test("the merged total is at most the plain sum", () => {
  fc.assert(
    fc.property(arbitrarySteps(), (samples) => {
      const sum = samples.reduce((all, sample) => all + sample.value, 0);
      expect(total(samples)).toBeLessThanOrEqual(sum * (1 + 1e-12) + 1e-9);
    }),
  );
});

test("the merged total is at least what the best source gives alone", () => {
  fc.assert(
    fc.property(arbitrarySteps(), (samples) => {
      const key = "com.apple.health.2|iPhone15,2";
      const own = samples.filter((sample) => sourceKeyOf(sample) === key && sample.attributes.aggregated !== true);
      expect(total(samples, [key])).toBeGreaterThanOrEqual(total(own, [key]) - 1e-6);
    }),
  );
});

test("a date's result over its inputs is that over everything, and inputs change nothing else", () => {
  fc.assert(
    fc.property(arbitrarySteps(["UTC", "America/New_York", "Asia/Tokyo"]), (samples) => {
      for (const date of ["2026-03-08", "2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12"]) {
        const all = stepsMerge(samples, []).get(date);
        const read = stepsMerge(mergeInputs(date, samples), []).get(date);
        expect(read?.value ?? -1).toBeCloseTo(all?.value ?? -1, 6);
      }
    }),
  );
});

const end = (sample: Sample): number =>
  Math.max(sample.end_at, sample.start_at + (sample.end_at > sample.start_at ? 0 : 1000));

const rank = ({ attributes }: Sample): number =>
  (attributes.aggregated === true ? 100 : 0) +
  ["watch", "phone", "ring", "app", "manual"].indexOf(attributes.device_class ?? "");

/** The rule as it is written: every part between two boundaries on its own. */
const slowly = (samples: Sample[]): number => {
  const cuts = [...new Set(samples.flatMap((sample) => [sample.start_at, end(sample)]))].toSorted((a, b) => a - b);
  let sum = 0;
  for (const [n, from] of cuts.slice(0, -1).entries()) {
    const to = cuts[n + 1] as number;
    const covering = samples.filter((sample) => sample.start_at < to && end(sample) > from);
    const best = Math.min(...covering.map(rank));
    const [winner] = covering
      .filter((sample) => rank(sample) === best)
      .toSorted(
        (a, b) =>
          (b.attributes.sync_version ?? -1) - (a.attributes.sync_version ?? -1) ||
          (b.attributes.created ?? -1) - (a.attributes.created ?? -1) ||
          b.value / (end(b) - b.start_at) - a.value / (end(a) - a.start_at) ||
          (a.sample_id < b.sample_id ? 1 : -1),
      );
    if (winner !== undefined) sum += (winner.value * (to - from)) / (end(winner) - winner.start_at);
  }
  return sum;
};

test("the sweep gives what the rule gives slice by slice", () => {
  fc.assert(
    fc.property(arbitrarySteps(), (samples) => {
      expect(total(samples)).toBeCloseTo(slowly(samples), 6);
    }),
    { numRuns: 300 },
  );
});
