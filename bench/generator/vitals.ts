import type { Athlete } from "./athlete.ts";
import type { Generated } from "./day.ts";
import type { Random } from "./random.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Between = { from: number; to: number };
/** `n`: how many; `value`: given how far into the interval, 0 to 1; `length`: seconds that one lasts. */
type Vital = {
  type: string;
  unit: string;
  n: (dice: Random) => number;
  value: (dice: Random, who: Athlete) => number;
  length?: number;
  when: "asleep" | "day" | "waking";
};

const quantity = (name: string): string => `HKQuantityTypeIdentifier${name}`;
const lognormal = (dice: Random, median: number, sigma: number): number => median * Math.exp(dice.normal(0, sigma));

/** Volumes and value models of healthkit.md §8. */
const VITALS: readonly Vital[] = [
  {
    type: quantity("RespiratoryRate"),
    unit: "count/min",
    n: (d) => d.whole(4, 12),
    value: (d) => d.normal(14.5, 1.5),
    when: "asleep",
  },
  {
    type: quantity("OxygenSaturation"),
    unit: "%",
    n: (d) => d.whole(3, 14),
    value: (d) => Math.min(1, d.normal(0.96, 0.015)),
    length: 15,
    when: "asleep",
  },
  {
    type: quantity("HeartRateVariabilitySDNN"),
    unit: "ms",
    n: (d) => d.whole(1, 4),
    value: (d, who) => lognormal(d, 100 - who.rest, 0.3),
    length: 60,
    when: "asleep",
  },
  {
    type: quantity("HeartRateVariabilitySDNN"),
    unit: "ms",
    n: (d) => d.whole(1, 3),
    value: (d, who) => lognormal(d, 92 - who.rest, 0.3),
    length: 60,
    when: "day",
  },
  {
    type: quantity("AppleSleepingWristTemperature"),
    unit: "degC",
    n: () => 1,
    value: (d) => d.normal(35.5, 0.3),
    length: 25_000,
    when: "asleep",
  },
  {
    type: quantity("RestingHeartRate"),
    unit: "count/min",
    n: (d) => (d.chance(0.9) ? 1 : 0),
    value: (d, who) => Math.round(who.rest + d.normal(2, 1.5)),
    length: 60_000,
    when: "day",
  },
  {
    type: quantity("WalkingHeartRateAverage"),
    unit: "count/min",
    n: (d) => (d.chance(0.8) ? 1 : 0),
    value: (d, who) => Math.round(who.rest + d.normal(42, 4)),
    length: 30_000,
    when: "day",
  },
  {
    type: quantity("VO2Max"),
    unit: "mL/min·kg",
    n: (d) => (d.chance(0.1) ? 1 : 0),
    value: (d) => d.normal(47, 1),
    when: "day",
  },
  {
    type: quantity("BodyMass"),
    unit: "kg",
    n: (d) => (d.chance(0.6) ? 1 : 0),
    value: (d) => d.normal(71, 0.5),
    when: "waking",
  },
  {
    type: quantity("BodyFatPercentage"),
    unit: "%",
    n: (d) => (d.chance(0.3) ? 1 : 0),
    value: (d) => d.normal(0.17, 0.004),
    when: "waking",
  },
  {
    type: quantity("DietaryEnergyConsumed"),
    unit: "kcal",
    n: (d) => (d.chance(0.7) ? d.whole(3, 6) : 0),
    value: (d) => d.whole(80, 900),
    when: "day",
  },
  {
    type: quantity("DietaryProtein"),
    unit: "g",
    n: (d) => (d.chance(0.7) ? d.whole(3, 6) : 0),
    value: (d) => d.whole(2, 60),
    when: "day",
  },
  {
    type: quantity("DietaryWater"),
    unit: "mL",
    n: (d) => (d.chance(0.7) ? d.whole(2, 8) : 0),
    value: (d) => 50 * d.whole(2, 10),
    when: "day",
  },
];

/** What is measured a few times a night or a day, whole seconds, three decimals at most. */
export const vitals = (
  who: Athlete,
  spans: { asleep: Between; day: Between },
  zone: string | null,
  dice: Random,
): Generated[] =>
  VITALS.flatMap((vital) =>
    Array.from({ length: vital.n(dice) }, (): Generated => {
      const waking = { from: spans.asleep.to + 5 * MINUTE, to: spans.asleep.to + HOUR };
      const { from, to } = vital.when === "waking" ? waking : spans[vital.when];
      const length = Math.min((vital.length ?? 0) * 1000, to - from - MINUTE);
      const start = Math.floor((from + dice.unit() * (to - from - length)) / 1000) * 1000;
      const end = start + Math.floor(length / 1000) * 1000;
      return {
        uuid: dice.uuid(),
        type: vital.type,
        start,
        end,
        value: Number(vital.value(dice, who).toFixed(3)),
        unit: vital.unit,
        source: who.watch,
        created: end + dice.whole(1, 30) * MINUTE,
        zone,
        motion: null,
      };
    }),
  );
