/**
 * How often each key of a metric came before, in 8 bytes a slot: a fingerprint of 64 bits, open addressing. For the 37
 * million records of the largest exports the odds of a wrong count are below one in ten thousand. Keys that came more
 * than once are few, and kept whole.
 *
 * Bounded, whatever the size of the file: 1.6 million slots (13 MB) over all metrics. An export is written type by
 * type, so when there is no more room the metric that was not seen for longest is forgotten; a metric with more than 0.8
 * million different keys is forgotten itself and starts again. Equal keys stand next to each other in an export, so what
 * is lost then is a distinction that real files do not need.
 */
const MAX_SLOTS = 3 << 19;
const FIRST_SLOTS = 1 << 8;
const LOAD = 0.8;
const MAX_REPEATED = 1 << 16;

type Table = { high: Uint32Array; low: Uint32Array; used: number; repeated: Map<string, number> };

const table = (slots: number): Table => ({
  high: new Uint32Array(slots),
  low: new Uint32Array(slots),
  used: 0,
  repeated: new Map(),
});

/** False where the fingerprint was there already. Nought in `high` is a free slot. */
const put = (t: Table, high: number, low: number): boolean => {
  const mask = t.high.length - 1;
  let slot = low & mask;
  while (t.high[slot] !== 0) {
    if (t.high[slot] === high && t.low[slot] === low) return false;
    slot = (slot + 1) & mask;
  }
  t.high[slot] = high;
  t.low[slot] = low;
  t.used += 1;
  return true;
};

/** `key` is a UUID made by hashing: its first and last 32 bits are the fingerprint. */
export const seenKeys = (maxSlots = MAX_SLOTS) => {
  /** Least recently used first. */
  const tables = new Map<string, Table>();
  let last: string | null = null;
  let slots = 0;

  const begin = (metric: string, size: number): Table => {
    slots -= tables.get(metric)?.low.length ?? 0;
    tables.delete(metric);
    for (const [oldest, { low }] of tables) {
      if (slots + size <= maxSlots) break;
      slots -= low.length;
      tables.delete(oldest);
    }
    const fresh = table(size);
    slots += size;
    tables.set(metric, fresh);
    return fresh;
  };

  const of = (metric: string): Table => {
    const found = tables.get(metric);
    if (found === undefined) return begin(metric, Math.min(FIRST_SLOTS, maxSlots));
    if (metric !== last) {
      tables.delete(metric);
      tables.set(metric, found);
    }
    return found;
  };

  const makeRoom = (metric: string, old: Table): void => {
    const double = old.low.length * 2;
    if (double > maxSlots || old.repeated.size > MAX_REPEATED) {
      begin(metric, old.low.length);
      return;
    }
    const next = begin(metric, double);
    next.repeated = old.repeated;
    for (const [slot, high] of old.high.entries()) if (high !== 0) put(next, high, old.low[slot] ?? 0);
  };

  return {
    /** Adds `count` to the metric's key, and answers how often it had been there. */
    add(metric: string, key: string, count: number): number {
      const current = of(metric);
      last = metric;
      const fresh = put(current, Number.parseInt(key.slice(0, 8), 16) || 1, Number.parseInt(key.slice(-8), 16));
      const before = fresh ? 0 : (current.repeated.get(key) ?? 1);
      if (before + count > 1) current.repeated.set(key, before + count);
      if (current.used > current.low.length * LOAD || current.repeated.size > MAX_REPEATED) makeRoom(metric, current);
      return before;
    },
  };
};
