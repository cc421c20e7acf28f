import * as fc from "fast-check";
import { expect, test } from "vitest";
import { METRICS, metricOfKey } from "../../src/domain/catalogue.ts";
import type { MetricDefinition } from "../../src/domain/catalogue.ts";
import { conflictId, resolveCopies } from "../../src/domain/copies.ts";
import { type DailyTotal, type InterpretInput, interpret, interpretDaily } from "../../src/domain/interpret.ts";
import { reinterpret, reinterpretTotal } from "../../src/domain/reinterpret.ts";
import type { AthleteSettings, Sample } from "../../src/domain/sample.ts";
import { NO_SETTINGS, aSample, at, digest, sent, uuid } from "./make.ts";

const DOORS = ["native", "health_auto_export", "open_wearables", "open_mhealth", "apple_export", "kafka"];
const ZONES = ["Europe/Amsterdam", "+05:30", "America/New_York"];

const taken = (input: InterpretInput): Sample | null => {
  const result = interpret(input);
  return result.kind === "ok" ? result.value : null;
};
/** As it comes back from a store: JSON knows neither -0 nor absent members. */
const stored = (sample: Sample): Sample => JSON.parse(JSON.stringify(sample)) as Sample;

/** A value that the type accepts in most of its units. */
const valueOf = ({ categories, hard: [min, max] }: MetricDefinition): fc.Arbitrary<number> => {
  if (categories !== null) return fc.constantFrom(...categories.values());
  const low = Math.max(min, 0);
  return fc.double({ min: low, max: Math.max(low, Math.min(max, 400)), noNaN: true });
};

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

const metadata = maybe(
  fc
    .record(
      {
        HKTimeZone: fc.constantFrom(...ZONES, "Nowhere/Land"),
        HKWasUserEntered: fc.constantFrom(0, 1, "1", true),
        HKMetadataKeyHeartRateMotionContext: fc.constantFrom(0, 1, 2, "2", 7),
        HKHeartRateMotionContext: fc.constantFrom(1, "x"),
        HKMetadataKeySyncIdentifier: fc.string(),
        HKSyncVersion: fc.constantFrom(3, "4", "v5"),
        HKStateOfMindValence: fc.constantFrom(0.5, "-1"),
        beats: fc.constant(Array.from({ length: 40 }, (_, n) => [n * 0.8 + (n % 3) * 0.01, false])),
        other: fc.jsonValue({ maxDepth: 3 }),
        ["__proto__"]: fc.constant("own"),
      },
      { requiredKeys: [] },
    )
    .map((all) => JSON.stringify(all)),
);

/** Every second one the canonical unit, in which the value is one that the type accepts. */
const unitOf = ({ unit, units }: MetricDefinition): fc.Arbitrary<string | null> => {
  if (units.size === 0) return fc.constant(null);
  const any = fc.constantFrom(...units.keys());
  return units.has(unit) ? fc.oneof(fc.constant(unit), any) : any;
};

const inputOf = (definition: MetricDefinition, door: string): fc.Arbitrary<InterpretInput> =>
  fc
    .record({
      value: valueOf(definition),
      type: fc.constantFrom(definition.type, ...definition.aliases),
      unit: unitOf(definition),
      seconds: fc.nat(7200),
      time_zone: maybe(fc.constantFrom(...ZONES)),
      batch_time_zone: maybe(fc.constantFrom(...ZONES)),
      created: maybe(fc.constant(at("2026-03-10T12:30:00Z"))),
      sync_id: maybe(fc.string()),
      sync_version: maybe(fc.integer({ min: 0, max: 9 })),
      user_entered: fc.boolean(),
      synthetic: fc.boolean(),
      aggregated: fc.boolean(),
      count: maybe(fc.nat(9)),
      min: maybe(valueOf(definition)),
      max: maybe(valueOf(definition)),
      group_id: maybe(fc.string()),
      metadata,
      source_name: maybe(fc.constantFrom("Anna\u2019s\u00a0Watch", "Ring", "", "a\0b")),
      bundle_id: maybe(fc.constantFrom("com.apple.health.1", "org.example", "")),
      product_type: maybe(fc.constantFrom("Watch7,5", "iPhone15,2")),
      device: maybe(fc.constantFrom("Watch", "a\0b")),
    })
    .map(({ seconds, source_name, bundle_id, product_type, device, ...over }) =>
      sent({
        ...over,
        end_at: at("2026-03-10T12:00:00Z") + seconds * 1000,
        series: { door, source_name, bundle_id, product_type, device },
      }),
    );

test.each(DOORS)("whatever type came by %s, reading it again gives what staging made of it", (door) => {
  const read = new Set<string>();
  for (const definition of METRICS)
    fc.assert(
      fc.property(inputOf(definition, door), (input) => {
        const sample = taken(input);
        if (sample === null) return;
        read.add(definition.key);
        const kept = stored(sample);
        expect(reinterpret(kept, NO_SETTINGS)).toBe(kept);
      }),
      { numRuns: 30 },
    );
  expect([...read]).toEqual(METRICS.map(({ key }) => key));
});

test("new settings give the zone that they say, and the date in it", () => {
  const settings: AthleteSettings = { zones: [{ from: 0, zone: "Asia/Tokyo" }], source_order: {} };
  const late = sent({
    start_at: at("2026-03-10T18:00:00Z"),
    end_at: at("2026-03-10T18:00:00Z"),
    received_at: at("2026-03-11T00:00:00Z"),
  });
  const before = taken(late) as Sample;
  expect(before).toMatchObject({ tz: "UTC", local_date: "2026-03-10", attributes: { flags: ["zone_assumed"] } });
  const after = reinterpret(stored(before), settings);
  expect(after).toEqual(taken({ ...late, settings }));
  expect(after).toMatchObject({ tz: "Asia/Tokyo", local_date: "2026-03-11", attributes: { tz_source: "athlete" } });
});

test("a value that was converted wrongly is converted anew, its extremes with it", () => {
  const sample = taken(
    sent({ type: "HKQuantityTypeIdentifierBodyMass", unit: "lb", value: 160, min: 150, max: 170 }),
  ) as Sample;
  const { min, max } = sample.attributes;
  const wrong = {
    ...sample,
    value: sample.value * 2,
    attributes: { ...sample.attributes, min: 2 * (min as number), max: 2 * (max as number) },
  };
  const after = reinterpret(wrong, NO_SETTINGS);
  expect(after.value).toBe(sample.value);
  expect(after.attributes.min).toBeCloseTo(min as number, 9);
  expect(after.attributes.max).toBeCloseTo(max as number, 9);
  const nought = reinterpret({ ...wrong, value: 0 }, NO_SETTINGS);
  expect(nought.attributes.min).toBe(2 * (min as number));
});

test("a copy that had to give up its uuid keeps its id and its marks", () => {
  const first = taken(sent({ batch_time_zone: "UTC" })) as Sample;
  const other = taken(sent({ end_at: at("2026-03-10T12:00:01Z"), received_at: at("2026-03-10T14:00:00Z") })) as Sample;
  const renamed = resolveCopies([first, other], digest).find(({ sample_id }) => sample_id !== uuid(1)) as Sample;
  expect(renamed.sample_id).toBe(conflictId(other, digest));
  expect(renamed.attributes.flags).toEqual(["zone_assumed", "conflict", `conflict_of:${uuid(1)}`]);
  expect(reinterpret(stored(renamed), NO_SETTINGS)).toEqual(stored(renamed));
});

test("what today's rules would refuse, or nothing says the type of, stays as it is stored", () => {
  const untold = aSample();
  expect(reinterpret(untold, NO_SETTINGS)).toBe(untold);
  const high = { ...(taken(sent()) as Sample) };
  const refused = { ...high, attributes: { ...high.attributes, value_received: 9999 } };
  expect(reinterpret(refused, NO_SETTINGS)).toBe(refused);
  const bare = aSample({ attributes: { type: metricOfKey("heart_rate")?.type as string } });
  expect(reinterpret(bare, NO_SETTINGS)).toBe(bare);
});

test("a unit that no store would take is kept as one that it does", () => {
  const sample = taken(sent({ type: "HKWorkoutTypeIdentifier", unit: "a\0b", value: 0 }));
  expect(sample?.attributes.unit_received).toBe("ab");
});

const totalOf = (type: string, unit: string, value: number): DailyTotal | null => {
  const result = interpretDaily({ date: 20_000, type, unit, value }, at("2026-03-10T12:00:00Z"));
  return result.kind === "ok" ? result.value : null;
};

test("a provider's total is converted again from what was sent, and is the same where the rule is", () => {
  for (const { type, daily } of METRICS)
    for (const unit of daily?.units.keys() ?? []) {
      const totals = [0.7, 5, 60, 500].flatMap((value) => totalOf(type, unit, value) ?? []);
      expect(totals, `${type} ${unit}`).not.toEqual([]);
      expect(totals.every((total) => reinterpretTotal(total) === total)).toBe(true);
    }
  const miles = totalOf("HKQuantityTypeIdentifierDistanceWalkingRunning", "mi", 2) as DailyTotal;
  expect(reinterpretTotal({ ...miles, value: 2 })).toEqual(miles);
});

test("a total that today's rules would refuse, or of no metric of ours, stays", () => {
  const total = totalOf("HKQuantityTypeIdentifierStepCount", "count", 500) as DailyTotal;
  for (const odd of [
    { ...total, metric: "auras" },
    { ...total, unit_received: "furlong" },
    { ...total, value_received: -1 },
  ])
    expect(reinterpretTotal(odd)).toBe(odd);
});
