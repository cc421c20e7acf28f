/** Halves that wait at once. A diary of many years has a few thousand. */
const MAX_HELD = 20_000;

/**
 * Holds things back until the end of the file, so that those with the same key leave side by side. Bounded: when too
 * many wait, all leave, and a half that comes later goes alone.
 */
export const heldPairs = <T>(most = MAX_HELD) => {
  let groups = new Map<string, T[]>();
  let count = 0;
  const flush = (): T[][] => {
    const all = [...groups.values()];
    groups = new Map();
    count = 0;
    return all;
  };
  return {
    /** Takes one in, answers the groups that leave. */
    add(key: string, one: T): T[][] {
      const group = groups.get(key);
      if (group) group.push(one);
      else groups.set(key, [one]);
      count += 1;
      return count > most ? flush() : [];
    },
    flush,
  };
};
