import type { Athlete, Source } from "./athlete.ts";
import type { Generated } from "./day.ts";
import type { Random } from "./random.ts";

export const SLEEP = "HKCategoryTypeIdentifierSleepAnalysis";
/** Values of HKCategoryValueSleepAnalysis, and how an export writes them. */
export const STAGES = ["InBed", "AsleepUnspecified", "Awake", "AsleepCore", "AsleepDeep", "AsleepREM"] as const;
const [IN_BED, ASLEEP, AWAKE, CORE, DEEP, REM] = [0, 1, 2, 3, 4, 5] as const;

const EPOCH = 30_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const APP: Source = {
  name: "Sleep App",
  bundle_id: "com.example.sleep",
  product_type: "iPhone17,1",
  version: "4.2",
  device: "",
};

export type Night = { onset: number; wake: number; samples: Generated[] };

const grid = (at: number): number => Math.round(at / EPOCH) * EPOCH;

type Place = { who: Athlete; zone: string; dice: Random; morning: number };

const segment = (place: Place, source: Source, [start, end]: readonly [number, number], value: number): Generated => ({
  uuid: place.dice.uuid(),
  type: SLEEP,
  start,
  end,
  value,
  unit: null,
  source,
  created: place.morning + place.dice.whole(5, 50) * MINUTE,
  // Apple's own sleep rows carry their zone always (healthkit.md §2).
  zone: place.zone,
  motion: null,
});

type Bout = { start: number; end: number; value: number };

/** Stage and minutes of one cycle of about 90: deep early, REM late, short awakenings. */
const cycleOf = (dice: Random, cycle: number): [value: number, minutes: number][] => [
  [CORE, dice.normal(22, 6)],
  [DEEP, dice.normal(26 - 6 * cycle, 4)],
  ...(dice.chance(0.5) ? [[AWAKE, dice.chance(0.15) ? dice.whole(5, 18) : 1] as [number, number]] : []),
  [CORE, dice.normal(24, 6)],
  [REM, dice.normal(9 + 5 * cycle, 3)],
  ...(dice.chance(0.4) ? [[AWAKE, 0.5] as [number, number]] : []),
];

/** Bouts on the Watch's 30-second grid, each begins where the one before ends. */
const bouts = ({ dice }: Place, onset: number, wake: number): Bout[] => {
  const out: Bout[] = [];
  let at = onset;
  for (let cycle = 0; at < wake; cycle += 1) {
    for (const [value, minutes] of cycleOf(dice, cycle)) {
      const end = Math.min(wake, at + Math.max(EPOCH, grid(minutes * MINUTE)));
      if (end > at) out.push({ start: at, end, value });
      at = end;
    }
  }
  // The last bout is sleep: nobody wakes up into nothing.
  const last = out.at(-1);
  if (last?.value === AWAKE) last.value = CORE;
  return out;
};

/** Dozens of short rows as the phone writes them, or one of an app. */
const inBed = (place: Place, from: number, to: number): Generated[] => {
  const out: Generated[] = [];
  for (let start = from; start < to;) {
    const end = Math.min(to, start + place.dice.whole(20, 180) * MINUTE);
    out.push(segment(place, place.who.phone, [start, end], IN_BED));
    start = end;
  }
  return out;
};

const watched = (place: Place, onset: number, wake: number): Generated[] =>
  bouts(place, onset, wake).map(({ start, end, value }) => segment(place, place.who.watch, [start, end], value));

/**
 * The night that ends on a morning, and a nap of that day now and then. Of a hundred nights: some are split, some have a
 * second app that saw it otherwise, some were slept without the Watch.
 */
export const night = (who: Athlete, morning: number, zone: string, dice: Random): Night => {
  const place: Place = { who, zone, dice, morning };
  const onset = grid(morning - dice.normal(0.9, 0.6) * HOUR);
  const wake = grid(Math.max(onset + 4 * HOUR, morning + dice.normal(6.9, 0.5) * HOUR));
  const bedtime = onset - dice.whole(4, 25) * MINUTE;
  const rise = wake + dice.whole(1, 20) * MINUTE;
  const samples: Generated[] = [];
  const roll = dice.unit();
  if (roll < 0.03) return { onset, wake, samples: inBed(place, bedtime, rise) };
  if (roll < 0.08) {
    const middle = grid(onset + (wake - onset) / 2);
    samples.push(...watched(place, onset, middle), ...watched(place, middle + 90 * MINUTE, wake + 60 * MINUTE));
  } else samples.push(...watched(place, onset, wake));
  if (dice.chance(0.8)) samples.push(...inBed(place, bedtime, rise));
  if (dice.chance(0.12)) samples.push(segment(place, APP, [onset - 9 * MINUTE, wake + 13 * MINUTE], ASLEEP));
  if (dice.chance(0.08)) {
    const nap = grid(morning + dice.whole(13, 15) * HOUR);
    samples.push(...watched({ ...place, morning: nap + HOUR }, nap, nap + dice.whole(25, 80) * MINUTE));
  }
  return { onset, wake, samples };
};
