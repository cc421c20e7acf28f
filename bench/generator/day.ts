import { midnight } from "./calendar.ts";
import { zoneOn, type Athlete, type Source } from "./athlete.ts";
import { night } from "./night.ts";
import { random, type Random } from "./random.ts";
import { vitals } from "./vitals.ts";

/** One generated sample: whole seconds, as an export has them. */
export type Generated = {
  uuid: string;
  type: string;
  start: number;
  end: number;
  value: number;
  /** Null for categories. */
  unit: string | null;
  source: Source;
  created: number;
  /** Set while travelling. */
  zone: string | null;
  motion: 0 | 1 | 2 | null;
};

export const HEART_RATE = "HKQuantityTypeIdentifierHeartRate";
export const STEP_COUNT = "HKQuantityTypeIdentifierStepCount";
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

type Day = { who: Athlete; start: number; end: number; zone: string | null; dice: Random };
type Workout = { from: number; to: number };

/** Bursts of 2–600 s at 1.5–2.2 steps a second, awake from about 06:30 to 23:00 (healthkit.md §8). */
const watchSteps = (day: Day): Generated[] => {
  const out: Generated[] = [];
  let left = Math.max(1500, Math.round(day.dice.normal(day.who.daily, 2500)));
  let at = day.start + 6.5 * HOUR + day.dice.whole(0, 3600) * SECOND;
  if (day.dice.chance(0.3)) out.push(burst(day, day.start + day.dice.whole(2, 5) * HOUR, 40));
  while (left > 0 && at < day.end - 20 * MINUTE) {
    const seconds = day.dice.chance(0.1) ? day.dice.whole(120, 600) : day.dice.whole(2, 110);
    const step = burst(day, at, seconds);
    out.push(step);
    left -= step.value;
    at = step.end + day.dice.whole(5, 700) * SECOND;
  }
  return out;
};

const burst = (day: Day, start: number, seconds: number): Generated => {
  const end = start + seconds * SECOND;
  return {
    uuid: day.dice.uuid(),
    type: STEP_COUNT,
    start,
    end,
    value: Math.max(1, Math.round(seconds * (1.5 + 0.7 * day.dice.unit()))),
    unit: "count",
    source: day.who.watch,
    created: end + day.dice.whole(1, 900) * SECOND,
    zone: day.zone,
    motion: null,
  };
};

/** The phone counts part of the same walks, a little shifted, and walks that the Watch missed on its charger. */
const phoneSteps = (day: Day, watch: readonly Generated[]): Generated[] => {
  const out: Generated[] = [];
  let busyUntil = 0;
  for (const step of watch) {
    const carried = day.dice.chance(0.42);
    const start = step.start + day.dice.whole(-20, 20) * SECOND;
    if (!carried || start <= busyUntil) continue;
    const end = step.end + day.dice.whole(0, 30) * SECOND;
    if (end <= start) continue;
    const value = Math.max(1, Math.round(step.value * (0.8 + 0.3 * day.dice.unit())));
    out.push({ ...step, uuid: day.dice.uuid(), start, end, value, source: day.who.phone, created: end + MINUTE });
    busyUntil = end;
  }
  const charger = (out.at(-1)?.end ?? day.start + 20 * HOUR) + 10 * MINUTE;
  if (charger < day.end) out.push({ ...burst(day, charger, 90), source: day.who.phone });
  return out;
};

const workoutOf = (day: Day): Workout | null => {
  if (!day.dice.chance(0.45)) return null;
  const from = day.start + day.dice.whole(8, 19) * HOUR;
  return { from, to: from + day.dice.whole(20, 45) * MINUTE };
};

/** About one every five minutes, every five seconds in a workout: circadian, with a memory (AR(1)). */
const heartRates = (day: Day, workout: Workout | null): Generated[] => {
  const out: Generated[] = [];
  let drift = 0;
  let at = day.start + day.dice.whole(1, 240) * SECOND;
  while (at < day.end) {
    const hour = (at - day.start) / HOUR;
    const asleep = hour < 6.5 || hour > 23;
    const training = workout !== null && at >= workout.from && at < workout.to;
    drift = 0.85 * drift + day.dice.normal(0, asleep ? 1.2 : 4);
    const level = training
      ? 140
      : asleep
        ? day.who.rest
        : day.who.rest + 20 + 6 * Math.sin(((hour - 9) * Math.PI) / 12);
    out.push({
      uuid: day.dice.uuid(),
      type: HEART_RATE,
      start: at,
      end: at,
      value: Math.min(200, Math.max(38, Math.round(level + drift))),
      unit: "count/min",
      source: day.who.watch,
      created: at + day.dice.whole(1, 600) * SECOND,
      zone: day.zone,
      motion: training ? 2 : day.dice.chance(0.5) ? 1 : 0,
    });
    at += training ? 5 * SECOND : day.dice.whole(180, 420) * SECOND;
  }
  return out;
};

const byStart = (a: Generated, b: Generated): number => a.start - b.start || (a.uuid < b.uuid ? -1 : 1);

/**
 * The night that ends on a local day, and what is measured a few times a night or day: sleep, vitals, body, food.
 * Depends on seed and day alone.
 */
export const generatedNight = (who: Athlete, number: number): Generated[] => {
  const dice = random(who.seed, `${who.athlete_id}/night/${number}`);
  const zone = zoneOn(who, number);
  const morning = midnight(number, zone);
  const { onset, wake, samples } = night(who, morning, zone, dice);
  const day = { from: wake + HOUR, to: midnight(number + 1, zone) - HOUR };
  const spans = { asleep: { from: onset, to: wake }, day };
  return [...samples, ...vitals(who, spans, zone === who.home ? null : zone, dice)].toSorted(byStart);
};

/** Heart rates and steps that Watch and iPhone recorded on one local day of the athlete, by start. Depends on seed and day alone. */
export const generatedDay = (who: Athlete, number: number): Generated[] => {
  const dice = random(who.seed, `${who.athlete_id}/${number}`);
  const zone = zoneOn(who, number);
  const start = midnight(number, zone);
  const day: Day = { who, start, end: midnight(number + 1, zone), zone: zone === who.home ? null : zone, dice };
  const watch = watchSteps(day);
  const all = [...watch, ...phoneSteps(day, watch), ...heartRates(day, workoutOf(day))];
  return all.toSorted(byStart);
};
