/**
 * How often each key came before, in 12 bytes a slot: two halves of a fingerprint and a count, open addressing. Two
 * different keys share a fingerprint once in 2^64, so for the 37 million records of the largest exports the odds of
 * a wrong count are below one in ten thousand.
 *
 * Bounded: at 2^24 slots (200 MB, 11.7 million records of the types that we take) it forgets and starts again. Equal keys
 * stand next to each other in an export, so what is lost then is a distinction that real files do not need.
 */
const MAX_SLOTS = 1 << 24;
const LOAD = 0.7;

type Table = { high: Uint32Array; low: Uint32Array; counts: Uint32Array };

const table = (slots: number): Table => ({
  high: new Uint32Array(slots),
  low: new Uint32Array(slots),
  counts: new Uint32Array(slots),
});

/** The slot that holds the fingerprint, or the free one where it would go. */
const slotOf = (t: Table, high: number, low: number): number => {
  const mask = t.counts.length - 1;
  let slot = low & mask;
  while (t.counts[slot] !== 0 && (t.high[slot] !== high || t.low[slot] !== low)) slot = (slot + 1) & mask;
  return slot;
};

const put = (t: Table, entry: readonly [high: number, low: number, count: number]): boolean => {
  const slot = slotOf(t, entry[0], entry[1]);
  const fresh = t.counts[slot] === 0;
  t.high[slot] = entry[0];
  t.low[slot] = entry[1];
  t.counts[slot] = (t.counts[slot] ?? 0) + entry[2];
  return fresh;
};

const grown = (old: Table): Table => {
  const next = table(old.counts.length * 2);
  for (const [slot, count] of old.counts.entries()) {
    if (count > 0) put(next, [old.high[slot] ?? 0, old.low[slot] ?? 0, count]);
  }
  return next;
};

/** `key` is a UUID made by hashing: its first and last 32 bits are the fingerprint. */
export const seenKeys = (maxSlots = MAX_SLOTS) => {
  let current = table(Math.min(1024, maxSlots));
  let used = 0;
  return {
    /** Adds `count` to the key, and answers how often it had been there. */
    add(key: string, count: number): number {
      const high = Number.parseInt(key.slice(0, 8), 16);
      const low = Number.parseInt(key.slice(-8), 16);
      const before = current.counts[slotOf(current, high, low)] ?? 0;
      if (put(current, [high, low, count])) used += 1;
      if (used > current.counts.length * LOAD) {
        const full = current.counts.length >= maxSlots;
        if (full) used = 0;
        current = full ? table(maxSlots) : grown(current);
      }
      return before;
    },
  };
};
