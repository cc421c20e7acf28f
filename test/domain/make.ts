import * as fc from "fast-check";
import type { InterpretInput } from "../../src/domain/interpret.ts";
import type { Attributes, Sample, SentSample } from "../../src/domain/sample.ts";

export { digest } from "../../src/flow/digest.ts";

export const HR = "HKQuantityTypeIdentifierHeartRate";
export const STEPS = "HKQuantityTypeIdentifierStepCount";
export const at = (iso: string): number => Date.parse(iso);
export const NO_SETTINGS = { zones: [], source_order: {} };

/** A valid uuid made of a number. */
export const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;

type SampleOver = Partial<Omit<Sample, "attributes">> & { attributes?: Attributes };

export const aSample = (over: SampleOver = {}): Sample => {
  const start_at = over.start_at ?? at("2026-03-10T12:00:00Z");
  return {
    athlete_id: "a1",
    sample_id: uuid(1),
    metric: "heart_rate",
    end_at: start_at,
    value: 60,
    unit: "count/min",
    source: "Watch",
    device: null,
    tz: "UTC",
    local_date: new Date(start_at).toISOString().slice(0, 10),
    received_at: at("2026-03-20T00:00:00Z"),
    attributes: {},
    ...over,
    start_at,
  };
};

const CLASSES = {
  watch: { device_class: "watch", bundle_id: "com.apple.health.1", product_type: "Watch7,5" },
  phone: { device_class: "phone", bundle_id: "com.apple.health.2", product_type: "iPhone15,2" },
  ring: { device_class: "ring", bundle_id: "com.ouraring.oura" },
  app: { device_class: "app", bundle_id: "org.example.walk" },
  manual: { device_class: "manual", bundle_id: "com.apple.Health", user_entered: true },
} as const;
export type Device = keyof typeof CLASSES;

/** Steps of a device from one time of 2026-03-10 (UTC) to another. */
export const steps = (device: Device, [from, to]: [string, string], value: number, over: SampleOver = {}): Sample =>
  aSample({
    metric: "steps",
    unit: "count",
    start_at: at(`2026-03-10T${from}Z`),
    end_at: at(`2026-03-10T${to}Z`),
    value,
    source: device,
    ...over,
    attributes: { ...CLASSES[device], ...over.attributes },
  });

export const changed = (sample: Sample, over: SampleOver): Sample => ({ ...sample, ...over });

type SentOver = Partial<SentSample> & { type?: string; unit?: string | null } & Partial<
    Omit<InterpretInput, "sample" | "series">
  > & { series?: Partial<InterpretInput["series"]> };

/** What `interpret` reads: a heart rate of 57 on 2026-03-10 at 12:00 UTC, with whatever else is said. */
export const sent = (over: SentOver = {}): InterpretInput => {
  const { type = HR, unit = "count/min", series, settings = NO_SETTINGS, athlete_id = "a1", ...rest } = over;
  const { received_at = at("2026-03-10T13:00:00Z"), batch_time_zone = null, ...sample } = rest;
  return {
    athlete_id,
    received_at,
    batch_time_zone,
    settings,
    series: {
      type,
      unit,
      source_name: "Anna's Watch",
      bundle_id: null,
      product_type: null,
      device: null,
      door: "native",
      ...series,
    },
    sample: {
      sample_id: uuid(1),
      synthetic: false,
      start_at: at("2026-03-10T12:00:00Z"),
      end_at: at("2026-03-10T12:00:00Z"),
      value: 57,
      time_zone: null,
      created: null,
      sync_id: null,
      sync_version: null,
      user_entered: false,
      count: null,
      min: null,
      max: null,
      aggregated: false,
      group_id: null,
      metadata: null,
      ...sample,
    },
  };
};

const DEVICES = Object.keys(CLASSES) as Device[];

/** Step samples of several devices that overlap each other and themselves, over three days and two zones. */
export const arbitrarySteps = (zones: readonly string[] = ["UTC", "America/New_York"]): fc.Arbitrary<Sample[]> =>
  fc
    .array(
      fc.record({
        device: fc.constantFrom(...DEVICES),
        minute: fc.integer({ min: 0, max: 3 * 1440 }),
        minutes: fc.integer({ min: 0, max: 180 }),
        value: fc.integer({ min: 0, max: 2000 }),
        tz: fc.constantFrom(...zones),
        version: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
        created: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
        aggregated: fc.constantFrom(undefined, undefined, true as const),
      }),
      { maxLength: 30 },
    )
    .map((all) =>
      all.map(({ device, minute, minutes, value, tz, version, created, aggregated }, n) => {
        const start_at = at("2026-03-08T22:00:00Z") + minute * 60_000;
        const attributes: Attributes = {};
        if (version !== undefined) attributes.sync_version = version;
        if (created !== undefined) attributes.created = created;
        if (aggregated !== undefined) attributes.aggregated = aggregated;
        const over = { sample_id: uuid(n + 1), start_at, end_at: start_at + minutes * 60_000, tz, attributes };
        return steps(device, ["00:00:00", "00:00:00"], value, over);
      }),
    );

/** The same items in another order. */
export const shuffled = <T>(items: fc.Arbitrary<T[]>): fc.Arbitrary<[T[], T[]]> =>
  items.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
  );
