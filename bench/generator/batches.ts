import { athlete, type Athlete } from "./athlete.ts";
import { dateOf, dayOf } from "./calendar.ts";
import { generatedDay, generatedNight, HEART_RATE, STEP_COUNT, type Generated } from "./day.ts";
import { random, type Random } from "./random.ts";

export type NativeSample = {
  uuid: string;
  type: string;
  start: string;
  end: string;
  value: number;
  unit?: string;
  source: { name: string; bundle_id: string; product_type: string };
  created: string;
  metadata: Record<string, unknown>;
};
export type NativeBatch = {
  batch_id: string;
  provider: "apple_health";
  time_zone: string;
  samples: NativeSample[];
  deleted: { uuid: string; type: string }[];
  daily: { date: string; type: string; value: number; unit: string }[];
};
export type Sending = { athlete_id: string; body: NativeBatch };
export type BatchOptions = {
  seed: number;
  athletes: number;
  days: number;
  firstDate: string;
  /** Samples a batch, about. */
  size?: number;
  /** Share of the generated samples that is kept: small runs keep the shape of a day. */
  density?: number;
  /** With nights, vitals, body and food; absent: heart rates and steps. */
  nights?: boolean;
};

const HOUR = 3_600_000;

/** As a native client sends it. */
export const native = (s: Generated): NativeSample => ({
  uuid: s.uuid,
  type: s.type,
  start: new Date(s.start).toISOString(),
  end: new Date(s.end).toISOString(),
  value: s.value,
  ...(s.unit === null ? {} : { unit: s.unit }),
  source: { name: s.source.name, bundle_id: s.source.bundle_id, product_type: s.source.product_type },
  created: new Date(s.created).toISOString(),
  metadata: {
    ...(s.zone === null ? {} : { HKTimeZone: s.zone }),
    ...(s.motion === null ? {} : { HKMetadataKeyHeartRateMotionContext: s.motion }),
  },
});

/** healthkit.md §8: 80 % within the hour, 15 % within the day, 5 % after 1 to 30 days. */
const arrival = (s: Generated, dice: Random): number => {
  const roll = dice.unit();
  if (roll < 0.8) return s.created + dice.unit() * HOUR;
  return s.created + (roll < 0.95 ? dice.unit() * 24 * HOUR : (1 + 29 * dice.unit()) * 24 * HOUR);
};

/** What a careless client sends beside good samples, with every reason that needs no clock. */
const spoiled = (sample: NativeSample, dice: Random): NativeSample => {
  const uuid = dice.uuid();
  return dice.pick<NativeSample>([
    { ...sample, uuid, type: HEART_RATE, unit: "count/min", value: 900 },
    { ...sample, uuid, unit: "furlong" },
    { ...sample, uuid, start: sample.end, end: new Date(Date.parse(sample.start) - 1000).toISOString() },
    { ...sample, uuid, type: "HKQuantityTypeIdentifierDoesNotExist" },
    { ...sample, uuid, type: "HKQuantityTypeIdentifierUVExposure", unit: "count", value: 3 },
    { ...sample, uuid: "not-a-uuid" },
  ]);
};

/** Corrections as HealthKit makes them: an upgrade under one sync id, in a new sample. */
const upgraded = (sample: NativeSample, dice: Random): [NativeSample, NativeSample] => {
  const sync = { HKMetadataKeySyncIdentifier: `sync-${sample.uuid}` };
  return [
    { ...sample, metadata: { ...sample.metadata, ...sync, HKMetadataKeySyncVersion: 1 } },
    {
      ...sample,
      uuid: dice.uuid(),
      value: sample.value + 1,
      metadata: { ...sample.metadata, ...sync, HKMetadataKeySyncVersion: 2 },
    },
  ];
};

type Item = { at: number; sample?: NativeSample; deleted?: { uuid: string; type: string } };

const items = (s: Generated, dice: Random): Item[] => {
  const at = arrival(s, dice);
  const sample = native(s);
  const roll = dice.unit();
  const deleted = { uuid: s.uuid, type: s.type };
  // A deletion that overtakes its insert, one that follows, a re-sent sample, an upgrade, a bad neighbour.
  if (roll < 0.01)
    return [
      { at: at - HOUR, deleted },
      { at, sample },
    ];
  if (roll < 0.03)
    return [
      { at, sample },
      { at: at + 5 * HOUR, deleted },
    ];
  if (roll < 0.06)
    return [
      { at, sample },
      { at: at + 3 * HOUR, sample },
    ];
  if (roll < 0.07) return upgraded(sample, dice).map((copy, i) => ({ at: at + i * 2 * HOUR, sample: copy }));
  if (roll < 0.08)
    return [
      { at, sample },
      { at, sample: spoiled(sample, dice) },
    ];
  return [{ at, sample }];
};

const batchOf = (who: Athlete, chunk: readonly Item[], dice: Random): NativeBatch => ({
  batch_id: dice.uuid(),
  provider: "apple_health",
  time_zone: who.home,
  samples: dice.shuffled(chunk.flatMap((i) => (i.sample ? [i.sample] : []))),
  deleted: chunk.flatMap((i) => (i.deleted ? [i.deleted] : [])),
  daily: [],
});

/** HealthKit's own merged total, sent with the day's last batch. */
const totals = (who: Athlete, first: number, days: number, dice: Random): NativeBatch["daily"] =>
  Array.from({ length: Math.max(0, days - 1) }, (_, i) => ({
    date: dateOf(first + i),
    type: STEP_COUNT,
    value: who.daily + dice.whole(-3000, 3000),
    unit: "count",
  }));

const ofAthlete = (options: BatchOptions, n: number): NativeBatch[] => {
  const who = athlete(options.seed, n, options.firstDate);
  const dice = random(options.seed, `${who.athlete_id}/batches`);
  const first = dayOf(options.firstDate);
  const days = Array.from({ length: options.days }, (_, i) => first + i);
  const kept = days.flatMap((day) => generatedDay(who, day)).filter(() => dice.chance(options.density ?? 1));
  if (options.nights === true) kept.push(...days.flatMap((day) => generatedNight(who, day)));
  const queue = kept.flatMap((s) => items(s, dice)).toSorted((a, b) => a.at - b.at);
  const size = options.size ?? 200;
  const batches: NativeBatch[] = [];
  for (let i = 0; i < queue.length; i += size) batches.push(batchOf(who, queue.slice(i, i + size), dice));
  const last = batches.at(-1);
  if (last) last.daily = totals(who, first, options.days, dice);
  return batches;
};

/**
 * Native batches of several athletes, interleaved, in order of arrival; one in twenty comes again later (a client's retry
 * after a lost answer). The same options give the same batches.
 */
export const sendings = (options: BatchOptions): Sending[] => {
  const dice = random(options.seed, "sendings");
  const out: { at: number; sending: Sending }[] = [];
  for (let n = 0; n < options.athletes; n += 1) {
    const athlete_id = athlete(options.seed, n, options.firstDate).athlete_id;
    for (const [i, body] of ofAthlete(options, n).entries()) {
      const sending = { athlete_id, body };
      out.push({ at: i + n / options.athletes, sending });
      if (dice.chance(0.05)) out.push({ at: i + dice.whole(1, 5), sending });
    }
  }
  return out.toSorted((a, b) => a.at - b.at).map((o) => o.sending);
};
