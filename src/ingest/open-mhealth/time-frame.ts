import { isEntry } from "../read-sample.ts";
import { parseInstant } from "../time-text.ts";

/** ISO texts as native samples have them; anything else as it was sent, to be refused. */
export type Frame = { start: unknown; end: unknown; path: { start: string; end: string } };

const FRAME = "effective_time_frame";

const SECONDS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ["ms", 0.001],
  ["sec", 1],
  ["min", 60],
  ["h", 3600],
  ["d", 86_400],
]);

/** The other end of an interval that names one end and a length, with the offset of the first. */
const away = (from: unknown, duration: unknown, sign: 1 | -1): unknown => {
  const at = parseInstant(from);
  if (!isEntry(duration) || at === undefined || typeof from !== "string") return undefined;
  const seconds =
    typeof duration["value"] === "number" ? duration["value"] * (SECONDS.get(duration["unit"]) ?? NaN) : NaN;
  const there = at + sign * seconds * 1000;
  if (!(Math.abs(there) < 8e15)) return undefined;
  const offset = /(?:[+-]\d\d:?\d\d)$/.exec(from)?.[0] ?? "Z";
  const shift = parseInstant(`2000-01-01T00:00:00${offset}`) ?? 0;
  const local = new Date(there + (Date.UTC(2000, 0, 1) - shift)).toISOString();
  return local.replace(/Z$/, offset);
};

/** `date_time`, or an interval by two of start, end and duration. A part of a day is no time. */
export const frameOf = (body: Readonly<Record<string, unknown>>): Frame => {
  const frame = isEntry(body[FRAME]) ? body[FRAME] : {};
  const interval = frame["time_interval"];
  if (!isEntry(interval)) {
    const path = `${FRAME}.date_time`;
    return { start: frame["date_time"], end: frame["date_time"], path: { start: path, end: path } };
  }
  const { start_date_time: start, end_date_time: end, duration } = interval;
  const inside = `${FRAME}.time_interval`;
  return {
    start: start ?? away(end, duration, -1),
    end: end ?? away(start, duration, 1),
    path: {
      start: `${inside}.start_date_time`,
      end: `${inside}.${duration === undefined ? "end_date_time" : "duration"}`,
    },
  };
};
