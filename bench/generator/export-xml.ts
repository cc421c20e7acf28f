import { closeSync, openSync, writeSync } from "node:fs";
import { athlete, type Athlete, type Source, zoneOn } from "./athlete.ts";
import { ahead, dateOf, dayOf, midnight } from "./calendar.ts";
import { generatedDay, generatedNight, type Generated } from "./day.ts";
import { HEAD } from "./export-head.ts";
import { SLEEP, STAGES } from "./night.ts";
import { random, type Random } from "./random.ts";

export type ExportOptions = {
  seed: number;
  firstDate: string;
  /** Stops after so many days, or once the file has this many bytes. */
  days?: number;
  bytes?: number;
  /** With nights, vitals, body and food, and the types that only fill the file (energy, distance, …), in Apple's proportions. */
  sprinkle?: boolean;
};

const CHUNK = 1 << 20;
const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");

/** Every date of an export carries the offset of the moment of export (healthkit.md §5.6). */
const stamps = (offset: number): ((at: number) => string) => {
  const minutes = Math.abs(offset) / 60_000;
  const zone = `${offset < 0 ? "-" : "+"}${two(minutes / 60)}${two(minutes % 60)}`;
  return (at) => {
    const text = new Date(at + offset).toISOString();
    return `${text.slice(0, 10)} ${text.slice(11, 19)} ${zone}`;
  };
};

const recordWriter = (stamp: (at: number) => string): ((s: Generated) => string) => {
  const origins = new Map<Source, string>();
  return (s) => {
    let origin = origins.get(s.source);
    if (origin === undefined) {
      origin = `sourceName="${escape(s.source.name)}" sourceVersion="${s.source.version}" device="${escape(s.source.device)}"`;
      origins.set(s.source, origin);
    }
    const dates = `creationDate="${stamp(s.created)}" startDate="${stamp(s.start)}" endDate="${stamp(s.end)}"`;
    const value = s.type === SLEEP ? `HKCategoryValueSleepAnalysis${STAGES[s.value]}` : s.value;
    const unit = s.unit === null ? "" : ` unit="${s.unit}"`;
    const open = ` <Record type="${s.type}" ${origin}${unit} ${dates} value="${value}"`;
    const entries = [
      ...(s.zone === null ? [] : [`  <MetadataEntry key="HKTimeZone" value="${s.zone}"/>\n`]),
      ...(s.motion === null
        ? []
        : [`  <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="${s.motion}"/>\n`]),
    ];
    return entries.length === 0 ? `${open}/>\n` : `${open}>\n${entries.join("")} </Record>\n`;
  };
};

const FILLERS = [
  { type: "HKQuantityTypeIdentifierActiveEnergyBurned", unit: "Cal", each: 110, value: (d: Random) => d.unit() * 3 },
  { type: "HKQuantityTypeIdentifierBasalEnergyBurned", unit: "Cal", each: 250, value: (d: Random) => 3 + d.unit() * 4 },
  { type: "HKQuantityTypeIdentifierDistanceWalkingRunning", unit: "km", each: 620, value: (d: Random) => d.unit() / 8 },
  { type: "HKQuantityTypeIdentifierAppleStandTime", unit: "min", each: 1900, value: (d: Random) => d.whole(1, 5) },
] as const;

const fillers = (who: Athlete, from: number, dice: Random): Generated[] => {
  const out: Generated[] = [];
  for (const filler of FILLERS) {
    for (let second = dice.whole(0, filler.each); second < 86_000; second += dice.whole(1, 2 * filler.each)) {
      const start = from + second * 1000;
      const end = start + dice.whole(1, 60) * 1000;
      const value = Number(filler.value(dice).toPrecision(6));
      const { type, unit } = filler;
      out.push({
        uuid: "",
        type,
        unit,
        start,
        end,
        value,
        source: who.watch,
        created: end + 60_000,
        zone: null,
        motion: null,
      });
    }
  }
  return out;
};

const summary = (day: number, dice: Random): string =>
  ` <ActivitySummary dateComponents="${dateOf(day)}" activeEnergyBurned="${dice.whole(300, 900)}" activeEnergyBurnedGoal="600" activeEnergyBurnedUnit="Cal" appleMoveTime="0" appleMoveTimeGoal="0" appleExerciseTime="${dice.whole(0, 90)}" appleExerciseTimeGoal="30" appleStandHours="${dice.whole(4, 14)}" appleStandHoursGoal="12"/>\n`;

/**
 * Writes an Apple-like export.xml of the seed's first athlete to `file`, a day at a time. `seen` gets every
 * record. Answers what was written; the export's time zone is the athlete's home.
 */
export const writeExport = (
  file: string,
  options: ExportOptions,
  seen: (sample: Generated) => void = () => undefined,
): { bytes: number; records: number; days: number; home: string } => {
  const who = athlete(options.seed, 0, options.firstDate);
  const first = dayOf(options.firstDate);
  const record = recordWriter(stamps(ahead(first * 86_400_000, who.home)));
  const out = openSync(file, "w");
  const total = { bytes: 0, records: 0, days: 0, home: who.home };
  let pending: string[] = [];
  let length = 0;
  const flush = (): void => {
    if (pending.length > 0) total.bytes += writeSync(out, Buffer.from(pending.join(""), "utf8"));
    [pending, length] = [[], 0];
  };
  const write = (text: string): void => {
    pending.push(text);
    length += text.length;
    if (length >= CHUNK) flush();
  };
  write(HEAD(`${dateOf(first + (options.days ?? 0))} 08:00:00 +0000`));
  while (
    total.days < (options.days ?? Number.MAX_SAFE_INTEGER) &&
    total.bytes < (options.bytes ?? Number.MAX_SAFE_INTEGER)
  ) {
    const day = first + total.days;
    const dice = random(options.seed, `fill/${day}`);
    const samples = generatedDay(who, day);
    const others =
      options.sprinkle === false ? [] : [...generatedNight(who, day), ...fillers(who, samples[0]?.start ?? 0, dice)];
    // Who flies east leaves a day before its midnight: nobody wears one Watch in two zones at once.
    const leaves = midnight(day + 1, zoneOn(who, day + 1));
    for (const sample of [...samples, ...others]) {
      if (sample.start >= leaves) continue;
      seen(sample);
      write(record(sample));
      total.records += 1;
    }
    write(summary(day, dice));
    total.days += 1;
  }
  write("</HealthData>\n");
  flush();
  closeSync(out);
  return total;
};
