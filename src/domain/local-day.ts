import type { Instant, LocalDate } from "./sample.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** No zone on Earth has been further than this from UTC since 1970. */
const WEST = -12 * HOUR;
const EAST = 14 * HOUR;

/** Days whose offset is remembered, over all zones, before all is forgotten. A formatter weighs as much as many days. */
const REMEMBERED_DAYS = 65_536;
const FORMATTER_DAYS = 64;

/** The offset of one UTC day, or of its two parts where a transition falls into it. */
type DayOffset = number | { before: number; at: Instant; after: number };
type NamedZone = { wall: Intl.DateTimeFormat; days: Map<number, DayOffset> };

const zones = new Map<string, NamedZone>();
/** Those of them that were found to be names. */
const named = new Set<string>();
let remembered = 0;

const FIXED = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?$/i;

/** Milliseconds east of UTC when `zone` is written as an offset; null when it is a name or no offset on Earth. */
const fixedOffset = (zone: string): number | null => {
  const parts = FIXED.exec(zone);
  if (parts === null) return null;
  const [, sign, hours, minutes = "0"] = parts;
  const size = Number(hours) * HOUR + Number(minutes) * MINUTE;
  const offset = sign === "-" ? -size : size;
  return Number(minutes) < 60 && offset >= WEST && offset <= EAST ? offset : null;
};

const forgetAll = (): void => {
  zones.clear();
  named.clear();
  remembered = 0;
};

const namedZone = (name: string): NamedZone => {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const wall = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const zone = { wall, days: new Map<number, DayOffset>() };
  remembered += FORMATTER_DAYS;
  zones.set(name, zone);
  return zone;
};

/** Asks Intl, which is slow: `offsetAt` remembers. */
const wallOffset = (at: Instant, wall: Intl.DateTimeFormat): number => {
  const field: Record<string, number> = {};
  for (const { type, value } of wall.formatToParts(at)) field[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = field;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
};

/** The first instant in (from, to] whose offset differs from the one at `from`. One transition at most lies between. */
const transitionIn = (from: Instant, to: Instant, offset: (at: Instant) => number): Instant => {
  const before = offset(from);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offset(middle) === before) low = middle;
    else high = middle;
  }
  return high;
};

const dayOffset = (day: number, wall: Intl.DateTimeFormat): DayOffset => {
  const [first, last] = [day * DAY, day * DAY + DAY - 1];
  const offset = (at: Instant): number => wallOffset(at, wall);
  const [before, after] = [offset(first), offset(last)];
  return before === after ? before : { before, at: transitionIn(first, last, offset), after };
};

/**
 * Milliseconds that `zone` is ahead of UTC at an instant. `zone` is one that `isZone` accepts, else RangeError.
 * Remembered per zone and UTC day, so that dating millions of samples does not ask Intl for each.
 */
export const offsetAt = (at: Instant, zone: string): number => {
  // A name that is known is no offset, and need not be read as one again.
  const known = zones.get(zone);
  const fixed = known === undefined ? fixedOffset(zone) : null;
  if (fixed !== null) return fixed;
  const { days: offsets, wall } = known ?? namedZone(zone);
  const day = Math.floor(at / DAY);
  let offset = offsets.get(day);
  if (offset === undefined) {
    if (remembered >= REMEMBERED_DAYS) forgetAll();
    offset = dayOffset(day, wall);
    offsets.set(day, offset);
    remembered += 1;
  }
  if (typeof offset === "number") return offset;
  return at < offset.at ? offset.before : offset.after;
};

const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");

/**
 * The zone as it is stored: an IANA name as it was written, an offset as `+hh:mm` (from `+0100`, `GMT+1`, `Z`, …),
 * undefined for what is neither.
 */
export const canonicalZone = (text: string): string | undefined => {
  if (named.has(text)) return text;
  if (text === "Z" || text === "z") return "UTC";
  const fixed = fixedOffset(text);
  if (fixed !== null) {
    const minutes = Math.abs(fixed) / MINUTE;
    return `${fixed < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
  }
  // Offsets beyond those of Earth must not reach Intl, which would take them.
  if (text.length > 64 || !/^[A-Za-z]/.test(text)) return undefined;
  try {
    if (remembered >= REMEMBERED_DAYS) forgetAll();
    namedZone(text);
    named.add(text);
    return text;
  } catch {
    return undefined;
  }
};

/** An IANA name that this runtime knows, or an offset between −12:00 and +14:00. */
export const isZone = (zone: string): boolean => canonicalZone(zone) !== undefined;

/** Written dates, of which there are few: every sample of a day asks for the same ones. And back. */
const written = new Map<number, LocalDate>();
const days = new Map<LocalDate, number>();

export const epochDay = (date: LocalDate): number => days.get(date) ?? Date.parse(`${date}T00:00:00Z`) / DAY;

export const fromEpochDay = (day: number): LocalDate => {
  const known = written.get(day);
  if (known !== undefined) return known;
  const date = new Date(day * DAY).toISOString().slice(0, 10);
  if (written.size >= REMEMBERED_DAYS) {
    written.clear();
    days.clear();
  }
  written.set(day, date);
  days.set(date, day);
  return date;
};

export const addDays = (date: LocalDate, days: number): LocalDate => fromEpochDay(epochDay(date) + days);

export const isLocalDate = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = epochDay(text);
  return !Number.isNaN(day) && fromEpochDay(day) === text;
};

/** Days since the epoch of the local date at an instant: `localDate` as a number. */
export const localEpochDay = (at: Instant, zone: string): number => Math.floor((at + offsetAt(at, zone)) / DAY);

/** The date on the wall in `zone` at an instant (`localday/1`). */
export const localDate = (at: Instant, zone: string): LocalDate => fromEpochDay(localEpochDay(at, zone));

/**
 * First instant of the date in the zone, also where 00:00 is skipped (D19). Of a date that was skipped as a whole,
 * the first instant after it: such a day is empty.
 */
export const dayStart = (date: LocalDate, zone: string): Instant => {
  const midnight = epochDay(date) * DAY;
  const [from, to] = [midnight - EAST - 1, midnight - WEST];
  const offset = (at: Instant): number => offsetAt(at, zone);
  const [before, after] = [offset(from), offset(to)];
  if (before === after) return midnight - before;
  const change = transitionIn(from, to, offset);
  return midnight - before < change ? midnight - before : Math.max(change, midnight - after);
};

/** First instant of the next date: the end, exclusive. */
export const dayEnd = (date: LocalDate, zone: string): Instant => dayStart(addDays(date, 1), zone);

/**
 * The next local midnight after an instant. Where clocks went back over midnight the date comes twice, and the
 * second one ends here too.
 */
export const midnightAfter = (at: Instant, zone: string): Instant => {
  const next = localEpochDay(at, zone) + 1;
  const end = dayStart(fromEpochDay(next), zone);
  return end > at ? end : next * DAY - offsetAt(at, zone);
};

/** The two or three dates that an instant has somewhere on Earth (UTC−12 to UTC+14), ascending. */
export const possibleDates = (at: Instant): LocalDate[] => {
  const first = Math.floor((at + WEST) / DAY);
  const last = Math.floor((at + EAST) / DAY);
  return Array.from({ length: last - first + 1 }, (_, n) => fromEpochDay(first + n));
};
