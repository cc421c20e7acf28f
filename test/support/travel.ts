import { interpret } from "../../src/domain/interpret.ts";
import { readAthlete } from "../../src/flow/athletes.ts";
import type { Sample } from "../../src/domain/sample.ts";
import { sent } from "../domain/make.ts";
import type { Bench } from "./windows/bench.ts";
import { at, id } from "./windows/samples.ts";

type Input = Parameters<typeof interpret>[0];

const RECEIVED = at("2027-12-31T00:00:00Z");
const MINUTE = 60_000;

type Told = { type: string; unit?: string | null; value: number; minutes?: number };

/** What a phone sends that knows its own zone only: Amsterdam's, wherever it is. */
const told = (start_at: number, { type, unit = null, value, minutes = 0 }: Told): Input =>
  sent({
    athlete_id: "anna",
    sample_id: id(`${type} ${start_at}`),
    type: `HK${type}`,
    unit,
    value,
    start_at,
    end_at: start_at + minutes * MINUTE,
    batch_time_zone: "Europe/Amsterdam",
    received_at: RECEIVED,
    series: { product_type: "Watch7,5", bundle_id: "com.apple.health" },
  });

const NIGHT = [
  [3, 120],
  [4, 80],
  [2, 10],
  [5, 100],
  [3, 130],
] as const;

const asleep = (start: number): Input[] => {
  let from = start;
  return NIGHT.map(([value, minutes]) => {
    const segment = told(from, { type: "CategoryTypeIdentifierSleepAnalysis", value, minutes });
    from += minutes * MINUTE;
    return segment;
  });
};

/** A life in UTC: steps, one walk over midnight, heart rates, nights, weights, one sample a day that knows its zone. */
export const days = (first: string, count: number): Input[] =>
  Array.from({ length: count }, (_, n) => at(`${first}T00:00:00Z`) + n * 1440 * MINUTE).flatMap((day, n) => [
    ...Array.from({ length: 48 }, (_, half) =>
      told(day + half * 30 * MINUTE, {
        type: "QuantityTypeIdentifierHeartRate",
        unit: "count/min",
        value: 50 + ((half * 7 + n) % 40),
      }),
    ),
    ...[7, 12, 18].map((hour) =>
      told(day + hour * 60 * MINUTE, {
        type: "QuantityTypeIdentifierStepCount",
        unit: "count",
        value: 1000 + 100 * n + hour,
        minutes: 30,
      }),
    ),
    told(day + 1420 * MINUTE, { type: "QuantityTypeIdentifierStepCount", unit: "count", value: 600, minutes: 40 }),
    told(day + 180 * MINUTE, { type: "QuantityTypeIdentifierHeartRateVariabilitySDNN", unit: "ms", value: 40 + n }),
    told(day + 370 * MINUTE, { type: "QuantityTypeIdentifierBodyMass", unit: "kg", value: 70 + n / 10 }),
    sureOf(told(day + 1290 * MINUTE, { type: "QuantityTypeIdentifierBodyMass", unit: "kg", value: 71 + n / 10 })),
    ...asleep(day + 1350 * MINUTE),
  ]);

const sureOf = (input: Input): Input => ({ ...input, sample: { ...input.sample, time_zone: "America/New_York" } });

/** What staging makes of them under the athlete's settings in force. */
export const asStaged = async (bench: Bench, inputs: readonly Input[]): Promise<Sample[]> => {
  const { settings } = await readAthlete(bench.db, "anna");
  return inputs.map((input) => {
    const result = interpret({ ...input, settings });
    if (result.kind !== "ok") throw new Error(`${input.series.type}: ${JSON.stringify(result)}`);
    return result.value;
  });
};
