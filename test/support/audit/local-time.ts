/** The auditor's own local time: offsets come from Intl, a quarter of an hour at a time. */

const DAY = 86_400_000;
const QUARTER = 900_000;
const formats = new Map<string, Intl.DateTimeFormat>();
const known = new Map<string, Map<number, number>>();

const fixedOffset = (zone: string): number | undefined => {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (!match) return zone === "UTC" || zone === "Z" ? 0 : undefined;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000;
};

const asked = (zone: string, at: number): number => {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, Number(p.value)]));
  const wall = Date.UTC(
    parts["year"] ?? 0,
    (parts["month"] ?? 1) - 1,
    parts["day"] ?? 1,
    parts["hour"] ?? 0,
    parts["minute"] ?? 0,
    parts["second"] ?? 0,
  );
  return wall - Math.floor(at / 1000) * 1000;
};

/** Milliseconds to add to UTC for the wall clock of `zone` (IANA name or offset) at `at`. */
export const offsetAt = (at: number, zone: string): number => {
  const fixed = fixedOffset(zone);
  if (fixed !== undefined) return fixed;
  let ofZone = known.get(zone);
  if (!ofZone) known.set(zone, (ofZone = new Map<number, number>()));
  const quarter = Math.floor(at / QUARTER);
  let offset = ofZone.get(quarter);
  if (offset === undefined) ofZone.set(quarter, (offset = asked(zone, quarter * QUARTER)));
  return offset;
};

/** Days since the epoch of the wall clock's date. */
export const localDay = (at: number, zone: string): number => Math.floor((at + offsetAt(at, zone)) / DAY);

export const dateText = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10);

export const localDateOf = (at: number, zone: string): string => dateText(localDay(at, zone));

/** Milliseconds since 00:00 on the wall clock. */
export const clockOf = (at: number, zone: string): number => {
  const wall = at + offsetAt(at, zone);
  return wall - Math.floor(wall / DAY) * DAY;
};

/** The first instant after `at` that has a later local date. */
export const nextDate = (at: number, zone: string): number => {
  const today = localDay(at, zone);
  let high = (Math.floor(at / QUARTER) + 1) * QUARTER;
  while (localDay(high, zone) <= today) high += QUARTER;
  let low = Math.max(at, high - QUARTER);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (localDay(middle, zone) > today) high = middle;
    else low = middle;
  }
  return high;
};
