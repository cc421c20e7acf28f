import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Attributes, Sample } from "../../../src/domain/sample.ts";
import { sleepSessions } from "../../../src/domain/sleep/sessions.ts";
import type { Expected } from "../../support/audit/expected-samples.ts";
import { nightValues } from "../../support/audit/night-values.ts";
import { nightsOf } from "../../support/audit/nights.ts";
import { resting } from "../../support/audit/resting.ts";
import { at, digest, uuid } from "../../domain/make.ts";
import { night, vital, type Origin, type StageName } from "../../domain/sleep/night.ts";

/**
 * The product's rules and the auditor's are two readings of one text. Here they meet on inputs that no generator of real
 * nights makes: several sources that overlap, contradict and double themselves.
 */
/** One a source: of rows that say the same of the same time in two zones, no text says which counts. */
const ZONES: Record<Origin, string> = {
  watch: "Europe/Amsterdam",
  phone: "Europe/Amsterdam",
  ring: "America/Los_Angeles",
  bed: "UTC",
  app: "Asia/Tokyo",
  manual: "+05:30",
};
const START = at("2026-03-07T00:00:00Z");
const MINUTE = 60_000;

const seen = (sample: Sample): Expected => ({
  athlete_id: sample.athlete_id,
  sample_id: sample.sample_id,
  metric: sample.metric,
  start_at: sample.start_at,
  end_at: sample.end_at,
  value: sample.value,
  exact: true,
  unit: sample.unit,
  source: sample.source,
  origin: {
    name: sample.source,
    bundle_id: sample.attributes.bundle_id ?? null,
    product_type: sample.attributes.product_type ?? null,
  },
  tz: sample.tz,
  local_date: sample.local_date,
  user_entered: sample.attributes.user_entered ?? false,
  motion_context: sample.attributes.motion_context ?? null,
  daily_mood: false,
  sync_id: null,
  sync_version: sample.attributes.sync_version ?? null,
  created: sample.attributes.created ?? null,
  aggregated: sample.attributes.aggregated ?? false,
  synthetic: false,
  type: "",
  received_at: sample.received_at,
  digest: "",
});

type Told = { version: number | undefined; created: number | undefined };
const told = {
  version: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
  created: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
};
const over = (origin: Origin, { version, created }: Told): { tz: string; attributes: Attributes } => ({
  tz: ZONES[origin],
  attributes: {
    ...(version === undefined ? {} : { sync_version: version }),
    ...(created === undefined ? {} : { created }),
  },
});
const STAGE = fc.constantFrom<StageName | "gap">("core", "core", "deep", "rem", "awake", "asleep", "gap", "inBed");

/** Bouts one after another, of some sources, and rows that lie anywhere. */
const segments = (days: number): fc.Arbitrary<Sample[]> =>
  fc
    .array(
      fc.record({
        ...told,
        origin: fc.constantFrom<Origin>("watch", "watch", "watch", "phone", "ring", "bed", "app", "manual"),
        from: fc.integer({ min: 0, max: days * 144 }),
        parts: fc.array(fc.tuple(STAGE, fc.constantFrom(0.5, 2, 5, 10, 25, 30, 61, 90, 240, 1441)), {
          minLength: 1,
          maxLength: 10,
        }),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map((blocks) =>
      blocks
        .flatMap(({ origin, from, parts, ...rest }) =>
          night(origin, new Date(START + from * 10 * MINUTE).toISOString(), parts, over(origin, rest)),
        )
        .map((sample, n) => ({ ...sample, sample_id: uuid(n + 1) })),
    );

const vitals = (days: number): fc.Arbitrary<Sample[]> =>
  fc
    .array(
      fc.record({
        metric: fc.constantFrom("hrv_sdnn", "spo2", "respiratory_rate", "steps", "workout", "heart_rate"),
        minute: fc.integer({ min: 0, max: days * 1440 }),
        minutes: fc.constantFrom(0, 0, 0, 1, 30),
        value: fc.integer({ min: 40, max: 90 }),
      }),
      { maxLength: 60 },
    )
    .map((all) =>
      all.map(({ metric, minute, minutes, value }, n) => {
        const start = START + minute * MINUTE;
        return vital(metric, start, value, { sample_id: uuid(1000 + n), end_at: start + minutes * MINUTE });
      }),
    );

/** Heart rates close enough together for a resting one. */
const hearts = (days: number): fc.Arbitrary<Sample[]> =>
  fc
    .record({
      first: fc.integer({ min: 0, max: days * 1440 }),
      every: fc.constantFrom(1, 3, 6),
      values: fc.array(fc.integer({ min: 40, max: 70 }), { minLength: 120, maxLength: 160 }),
    })
    .map(({ first, every, values }) =>
      values.map((value, n) =>
        vital("heart_rate", START + (first + n * every) * MINUTE, value, { sample_id: uuid(5000 + n) }),
      ),
    );

const close = (value: unknown): unknown => (typeof value === "number" ? Number(value.toPrecision(12)) : value);
const plain = (row: object): unknown =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([name]) => name !== "provenance")
      .map(([name, value]) => [name, close(value)])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  );
const byId = (rows: readonly { session_id: string }[]): unknown[] =>
  rows.toSorted((a, b) => (a.session_id < b.session_id ? -1 : 1)).map(plain);

const audited = (samples: readonly Sample[]) => {
  const all = samples.map(seen);
  const by = (metric: string): Expected[] => all.filter((s) => s.metric === metric);
  const rates = resting(by("heart_rate"), by("steps"), by("workout"));
  return nightsOf("a1", all, []).map((night) => ({ ...night, ...nightValues(night, by, rates) }));
};

test("of any segments and vitals both readings make the same sessions, column by column", () => {
  fc.assert(
    fc.property(segments(2), vitals(2), hearts(2), (nights, measured, beats) => {
      const samples = [...nights, ...measured, ...beats];
      const settings = { zones: [], source_order: {} };
      const product = sleepSessions({ athlete_id: "a1", samples, settings }, digest);
      expect(byId(product)).toEqual(byId(audited(samples)));
    }),
    { numRuns: 600 },
  );
});
