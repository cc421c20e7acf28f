/** Seeded randomness: the same seed gives the same athletes for ever. */
export type Random = {
  /** [0, 1) */
  unit(): number;
  /** Whole number in [from, to]. */
  whole(from: number, to: number): number;
  normal(mean: number, deviation: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  uuid(): string;
  shuffled<T>(items: readonly T[]): T[];
};

/** FNV-1a, so that a seed and a name give a stream of their own. */
const seedOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
};

/** mulberry32. */
const stream = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};

export const random = (seed: number, name: string): Random => {
  const unit = stream(seedOf(`${seed}/${name}`));
  const whole = (from: number, to: number): number => from + Math.floor(unit() * (to - from + 1));
  const hex = (length: number): string => {
    let text = "";
    while (text.length < length)
      text += Math.floor(unit() * 65_536)
        .toString(16)
        .padStart(4, "0");
    return text.slice(0, length);
  };
  return {
    unit,
    whole,
    normal: (mean, deviation) =>
      mean + deviation * Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
    chance: (probability) => unit() < probability,
    pick: <T>(items: readonly T[]): T => items[whole(0, items.length - 1)] as T,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${"89ab"[whole(0, 3)]}${hex(3)}-${hex(12)}`,
    shuffled: <T>(items: readonly T[]): T[] => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i -= 1) {
        const j = whole(0, i);
        [out[i], out[j]] = [out[j] as T, out[i] as T];
      }
      return out;
    },
  };
};
