const SPACES = /[\u00a0\u2007\u2009\u202f]/g;
const DATE = /^(\d{4}-\d\d-\d\d)[ T](\d{1,2}):(\d\d)(?::(\d\d(?:\.\d+)?))? ?(?:([ap])\.? ?m\.?)? ?(Z|[+-]\d\d:?\d\d)$/i;

/** 12 AM is 0, 12 PM is 12; undefined where the hour is none of a 12-hour clock. */
const hourOf = (hour: number, half: string | undefined): number | undefined => {
  if (half === undefined) return hour;
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half.toLowerCase() === "p" ? 12 : 0);
};

/**
 * `2024-02-06 17:05:00 -0800`, or `2024-02-06 5:05:00 PM -0800` with any kind of space, as ISO 8601. What is no such
 * date stays as it was sent, to be refused with its reason.
 */
export const isoOf = (sent: unknown): unknown => {
  if (typeof sent !== "string") return sent;
  const text = sent.slice(0, 64).replace(SPACES, " ").trim();
  const match = DATE.exec(text);
  const hour = match === null ? undefined : hourOf(Number(match[2]), match[5]);
  if (match === null || hour === undefined) return sent;
  const offset = match[6]?.toUpperCase() === "Z" ? "Z" : match[6]?.replace(/^(...)(\d\d)$/, "$1:$2");
  return `${match[1]}T${String(hour).padStart(2, "0")}:${match[3]}:${match[4] ?? "00"}${offset}`;
};

/** The local date as written: of `2024-02-06` and of `2024-02-06 00:00:00 -0800` alike. */
export const dateOf = (sent: unknown): unknown =>
  typeof sent === "string" ? (/^\s*(\d{4}-\d\d-\d\d)(?!\d)/.exec(sent)?.[1] ?? sent) : sent;

/** `+01:00` of an ISO text, or null. */
export const offsetOf = (iso: unknown): string | null => {
  const offset = typeof iso === "string" ? /(?:Z|[+-]\d\d:\d\d)$/.exec(iso)?.[0] : undefined;
  return offset === undefined ? null : offset === "Z" ? "+00:00" : offset;
};
