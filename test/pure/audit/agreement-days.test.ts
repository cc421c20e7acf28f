import { expect, test } from "vitest";
import { athlete } from "../../../bench/generator/athlete.ts";
import { dateOf, dayOf } from "../../../bench/generator/calendar.ts";
import { generatedDay, generatedNight, type Generated } from "../../../bench/generator/day.ts";
import { random, type Random } from "../../../bench/generator/random.ts";
import { dayMetrics } from "../../../src/domain/day-metrics.ts";
import { factsOf } from "../../../src/domain/history/facts-of.ts";
import type { DayFacts } from "../../../src/domain/history/facts.ts";
import { historyOf } from "../../../src/domain/history/history-of.ts";
import { interpret } from "../../../src/domain/interpret.ts";
import type { Sample } from "../../../src/domain/sample.ts";
import { sleepSessions } from "../../../src/domain/sleep/sessions.ts";
import { inputSpan } from "../../../src/domain/window.ts";
import { askedOf } from "../../support/audit/daily.ts";
import { expectation } from "../../support/audit/expected-live.ts";
import { readLedger, type LedgerSample } from "../../support/audit/ledger.ts";
import { digest, NO_SETTINGS, sent } from "../../domain/make.ts";

/** Weeks in which everything happens, as the product's rules read them and as the auditor's do: every value of every day. */
const FIRST = dayOf("2026-02-20");
const DAYS = 45;
const HOUR = 3_600_000;
const Q = "HKQuantityTypeIdentifier";

type Extra = { type: string; unit: string | null; value: (dice: Random) => number; hours?: number; metadata?: object };
/** What the generator has none of: other units, categories, rows over midnight, what a person typed in. */
const EXTRAS: readonly Extra[] = [
  { type: `${Q}BloodGlucose`, unit: "mmol/L", value: (d) => 4 + d.unit() * 3 },
  { type: `${Q}BloodPressureSystolic`, unit: "kPa", value: (d) => 15 + d.unit() },
  { type: `${Q}BodyMass`, unit: "lb", value: (d) => 150 + d.unit() },
  { type: `${Q}BodyMass`, unit: "st", value: (d) => 11 + d.unit() / 10, metadata: { HKWasUserEntered: 1 } },
  { type: `${Q}BodyFatPercentage`, unit: "%", value: (d) => 16 + d.unit() },
  { type: `${Q}OxygenSaturation`, unit: "%", value: (d) => 95 + d.unit() * 4 },
  { type: `${Q}AppleSleepingWristTemperature`, unit: "degF", value: (d) => 95 + d.unit(), hours: 7 },
  { type: `${Q}ActiveEnergyBurned`, unit: "kJ", value: (d) => d.unit() * 400, hours: 3 },
  { type: `${Q}BasalEnergyBurned`, unit: "Cal", value: (d) => d.unit() * 400, hours: 9 },
  { type: `${Q}DistanceWalkingRunning`, unit: "mi", value: (d) => d.unit() * 3, hours: 5 },
  { type: `${Q}FlightsClimbed`, unit: "count", value: (d) => d.whole(1, 9), hours: 2 },
  { type: `${Q}AppleExerciseTime`, unit: "hr", value: (d) => d.unit() },
  { type: `${Q}DietaryVitaminB12`, unit: "mcg", value: (d) => d.unit() * 5, hours: 20 },
  { type: `${Q}DietaryWater`, unit: "fl_oz_us", value: (d) => d.unit() * 20 },
  { type: `${Q}DietaryCaffeine`, unit: "g", value: (d) => d.unit() / 5 },
  { type: `${Q}DietaryEnergyConsumed`, unit: "kJ", value: (d) => d.unit() * 4000 },
  { type: `${Q}RestingHeartRate`, unit: "count/s", value: (d) => 0.8 + d.unit() / 10, hours: 9 },
  {
    type: `${Q}HeartRateVariabilitySDNN`,
    unit: "s",
    value: (d) => 0.02 + d.unit() / 50,
    metadata: { HKWasUserEntered: 1 },
  },
  { type: "HKCategoryTypeIdentifierMindfulSession", unit: null, value: () => 0, hours: 0.4 },
  { type: "HKStateOfMind", unit: null, value: (d) => d.unit() * 2 - 1, metadata: { HKStateOfMindKind: 2 } },
  { type: "HKStateOfMind", unit: null, value: (d) => d.unit() * 2 - 1, metadata: { HKStateOfMindKind: 1 } },
  { type: "HKWorkoutTypeIdentifier", unit: null, value: () => 0, hours: 0.7 },
];

type Row = Generated & { metadata: Record<string, unknown> };

const rowsOf = (seed: number): Row[] => {
  const who = athlete(seed, 0, dateOf(FIRST));
  const dice = random(seed, "agreement");
  const days = Array.from({ length: DAYS }, (_, n) => FIRST + n);
  const told = days
    .flatMap((day) => [...generatedDay(who, day).filter(() => dice.chance(0.08)), ...generatedNight(who, day)])
    .map((s): Row => {
      const zone = s.zone === null ? {} : { HKTimeZone: s.zone };
      return { ...s, metadata: s.motion === null ? zone : { ...zone, HKMetadataKeyHeartRateMotionContext: s.motion } };
    });
  const extras = days.flatMap((day) =>
    EXTRAS.filter(() => dice.chance(0.4)).map((extra): Row => {
      const start = day * 24 * HOUR + dice.whole(0, 86_399) * 1000;
      const { type, unit, hours = 0, metadata = {} } = extra;
      const end = start + Math.floor(hours * HOUR);
      const base = { uuid: dice.uuid(), zone: null, motion: null, source: dice.pick([who.watch, who.phone]) };
      const value = extra.value(dice);
      return { ...base, type, unit, start, end, value, created: end + 60_000, metadata: { ...metadata } };
    }),
  );
  return [...told, ...extras];
};

/** Through the product's interpretation, and every rule of a day and of the days before it. */
const product = (rows: readonly Row[], zone: string): Map<string, number> => {
  const samples = rows.map((r): Sample => {
    const { HKWasUserEntered: typed, ...metadata } = r.metadata;
    const result = interpret(
      sent({
        type: r.type,
        unit: r.unit,
        series: { source_name: r.source.name, bundle_id: r.source.bundle_id, product_type: r.source.product_type },
        sample_id: r.uuid,
        start_at: r.start,
        end_at: r.end,
        value: r.value,
        created: r.created,
        received_at: r.created + 90 * 24 * HOUR,
        user_entered: typed === 1,
        metadata: JSON.stringify(metadata),
        batch_time_zone: zone,
      }),
    );
    if (result.kind !== "ok") throw new Error(JSON.stringify([r, result]));
    return result.value;
  });
  const all = sleepSessions({ athlete_id: "a1", samples, settings: NO_SETTINGS }, digest);
  const dates = Array.from({ length: DAYS + 2 }, (_, n) => dateOf(FIRST - 1 + n));
  const facts = new Map<string, DayFacts>();
  const values = new Map<string, number>();
  for (const date of dates) {
    const { from, to } = inputSpan(date);
    const near = samples.filter((s) => s.end_at >= from && s.start_at < to);
    const sessions = all.filter((session) => session.date === date);
    const metrics = dayMetrics({ date, samples: near, totals: [], sessions, settings: NO_SETTINGS }, digest);
    for (const m of metrics) values.set(`${date}|${m.metric}|${m.source}|${m.unit}`, m.value);
    const remembered = factsOf({ date, final: true, metrics, sessions, samples: near });
    if (remembered !== null) facts.set(date, remembered);
  }
  for (const [date, { metrics }] of historyOf(facts, dates, digest))
    for (const m of metrics) values.set(`${date}|${m.metric}|${m.source}|${m.unit}`, m.value);
  return values;
};

/** Through the auditor's. */
const audited = (rows: readonly Row[], zone: string): Map<string, number> => {
  const lines = rows.map((r): LedgerSample => ({
    kind: "sample",
    athlete_id: "a1",
    batch_id: "b",
    sample_id: r.uuid,
    type: r.type,
    start: r.start,
    end: r.end,
    value: r.value,
    unit: r.unit,
    source: r.source,
    created: r.created,
    batch_time_zone: zone,
    metadata: r.metadata,
    fate: "accepted",
  }));
  const { live } = expectation(readLedger(lines), () => 0);
  const { due } = askedOf("a1", [...live.values()], {});
  return new Map(
    [...due].map(([key, { value, unit, whole }]) => [`${key}|${unit}`, whole ? Math.floor(value + 0.5) : value]),
  );
};

const differing = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): string[] =>
  [...new Set([...a.keys(), ...b.keys()])]
    .filter((key) => {
      const [one, other] = [a.get(key) ?? Number.NaN, b.get(key) ?? Number.NaN];
      return !(Math.abs(one - other) <= 1e-6 * Math.max(1, Math.abs(one)));
    })
    .map((key) => `${key}: ${a.get(key)} and ${b.get(key)}`);

test.each([1, 2, 3, 4])("six weeks of seed %i give the same daily values by both readings", (seed) => {
  const rows = rowsOf(seed);
  const zone = athlete(seed, 0, dateOf(FIRST)).home;
  const found = product(rows, zone);
  for (const name of ["readiness", "stress", "skin_temp_deviation", "mood", "mindful_time", "sleep_score"])
    expect([...found.keys()].filter((key) => key.includes(`|${name}|`)).length, name).toBeGreaterThan(5);
  expect(differing(found, audited(rows, zone))).toEqual([]);
});
