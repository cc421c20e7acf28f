import { addDays } from "../../../src/domain/local-day.ts";
import type { Sample } from "../../../src/domain/sample.ts";
import { randomOf } from "../random.ts";
import { type Change, at, heart, id, steps, variability } from "./samples.ts";

const HOME = "Europe/Amsterdam";
export const HISTORY = { first: "2026-02-20", last: "2026-04-08" };

/** Where the athlete is: clocks go forward on 29 March at home; east and then far west before. */
const zoneOf = (date: string): string => {
  if (date >= "2026-03-10" && date < "2026-03-16") return "Asia/Tokyo";
  return date >= "2026-03-16" && date < "2026-03-19" ? "America/New_York" : HOME;
};

const dates = (): string[] => {
  const all: string[] = [];
  for (let date = HISTORY.first; date <= HISTORY.last; date = addDays(date, 1)) all.push(date);
  return all;
};

/** Zones are known of the samples themselves, or of the batch only: those move with the athlete's settings. */
const zoned = (date: string, dice: () => number): Change => {
  const tz = zoneOf(date);
  if (dice() < 0.7) return { tz };
  return { tz, attributes: { tz_source: "batch", batch_zone: tz, device_class: "watch" } };
};

const iso = (date: string, minutes: number): string =>
  new Date(at(`${date}T00:00:00Z`) + minutes * 60_000).toISOString();

const rowsOf = (date: string, n: number, dice: () => number): Sample[] => {
  const rows: Sample[] = [];
  const beats = n % 9 === 4 ? 0 : 4 + Math.floor(dice() * 8);
  for (let beat = 0; beat < beats; beat += 1) {
    const start = iso(date, Math.floor(dice() * 1440));
    const long = dice() < 0.1 ? { end_at: at(start) + 3_600_000 * 3 } : {};
    const value = 40 + dice() * 100;
    const row = heart(start, { name: `${date} beat ${beat}`, value, ...zoned(date, dice), ...long });
    rows.push(row);
    // The same record through another door, within its second.
    if (dice() < 0.15) rows.push({ ...row, sample_id: id(`twin ${date} ${beat}`), attributes: { synthetic: true } });
  }
  if (n % 9 === 4 || n % 13 === 5) {
    const attributes = { synthetic: true as const, aggregated: true as const, min: 41.5, max: 177 };
    rows.push(heart(iso(date, 600), { name: `${date} hour`, value: 71, tz: zoneOf(date), attributes }));
  }
  for (let walk = 0; walk < 5; walk += 1) {
    const [start, device] = [iso(date, Math.floor(dice() * 1440)), dice() < 0.5 ? "Watch" : "iPhone"];
    const minutes = 1 + Math.floor(dice() * 50);
    const own = { name: `${date} walk ${walk}`, source: device, end_at: at(start) + minutes * 60_000 };
    rows.push(steps(start, Math.floor(dice() * 3000), { ...own, ...zoned(date, dice) }));
  }
  if (dice() < 0.5) rows.push(variability(iso(date, 200), 30 + dice() * 40, { tz: zoneOf(date) }));
  return rows.map((row) => ({ ...row, local_date: localOf(row) }));
};

const localOf = ({ start_at, tz }: Sample): string =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: tz, dateStyle: "short" }).format(start_at);

/** Seven weeks of an athlete who travels, with twins, aggregates, walks over midnight and days without a beat. */
export const historyOf = (seed: number): Sample[] => {
  const dice = randomOf(seed);
  return dates().flatMap((date, n) => rowsOf(date, n, dice));
};

/** What comes late: new samples, copies of known ones with another value, uuids whose twins are stored. */
export const lateOf = (history: readonly Sample[], seed: number): Sample[] => {
  const dice = randomOf(seed + 1000);
  return Array.from({ length: 6 }, (_, n) => {
    const row = history[Math.floor(dice() * history.length)] as Sample;
    const received_at = row.received_at + (dice() < 0.5 ? -1000 : 1000);
    if (n % 3 === 0) return { ...row, value: row.value + 1, received_at };
    const sample_id = id(`late ${n}`);
    if (n % 3 === 1) return { ...row, sample_id, received_at, attributes: { device_class: "watch" } };
    const later = { start_at: row.start_at + 61_000, end_at: row.end_at + 61_000 };
    return { ...row, ...later, sample_id, received_at, local_date: localOf({ ...row, ...later }) };
  });
};
