import { dayOf } from "./calendar.ts";
import { random } from "./random.ts";

export type Source = { name: string; bundle_id: string; product_type: string; version: string; device: string };

/** Where the athlete lives and, for some days, travels: DST comes with the zone. */
export type Athlete = {
  athlete_id: string;
  seed: number;
  home: string;
  trips: { from: number; to: number; zone: string }[];
  watch: Source;
  phone: Source;
  /** Heart rate at rest, bpm. */
  rest: number;
  /** Typical steps a day. */
  daily: number;
};

const HOMES = ["Europe/Amsterdam", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "America/Sao_Paulo"];
const AWAY = ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland", "Europe/Lisbon", "Asia/Kathmandu"];

const hkDevice = (name: string, model: string, hardware: string, software: string): string =>
  `<<HKDevice: 0x3012772a0>, name:${name}, manufacturer:Apple Inc., model:${model}, hardware:${hardware}, software:${software}>`;

/** The `n`th athlete of a seed. The first lives in Amsterdam. A trip of some days starts after a week, then monthly. */
export const athlete = (seed: number, n: number, firstDate: string): Athlete => {
  const athlete_id = `gen-${seed}-${n}`;
  const dice = random(seed, athlete_id);
  const first = dayOf(firstDate);
  const trips = Array.from({ length: 40 }, (_, i) => {
    const from = first + 8 + i * 30 + dice.whole(0, 3);
    return { from, to: from + dice.whole(1, 3), zone: dice.pick(AWAY) };
  });
  return {
    athlete_id,
    seed,
    home: n === 0 ? "Europe/Amsterdam" : dice.pick(HOMES),
    trips,
    watch: {
      name: "Athlete’s Apple Watch",
      bundle_id: "com.apple.health.6E9C",
      product_type: "Watch7,5",
      version: "26.1",
      device: hkDevice("Apple Watch", "Watch", "Watch7,5", "26.1"),
    },
    phone: {
      name: "Athlete’s iPhone",
      bundle_id: "com.apple.health.21BA",
      product_type: "iPhone17,1",
      version: "26.1",
      device: hkDevice("iPhone", "iPhone", "iPhone17,1", "26.1"),
    },
    rest: dice.whole(46, 62),
    daily: dice.whole(8000, 14_000),
  };
};

export const zoneOn = (who: Athlete, day: number): string =>
  who.trips.find((t) => day >= t.from && day <= t.to)?.zone ?? who.home;
