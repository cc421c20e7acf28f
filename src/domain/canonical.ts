/** Negative where `a` comes first. Strings by code unit, as everywhere: no locale may change a result. */
export const compare = <T extends number | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * JSON with the members of every object in order, because jsonb gives them back in another than they were written in:
 * equal values give equal text, others another. Members that are undefined are left out.
 */
export const canonicalJson = (value: unknown): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => compare(a, b))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
};

/**
 * Whether two values surely have the same `canonicalJson`, found without writing it: copies of one sample mostly are
 * equal. False is no answer: members that are undefined, are left to the text.
 */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameJson(member(a, name), member(b, name)));
};

const member = (of: object, name: string): unknown => (of as Record<string, unknown>)[name];
