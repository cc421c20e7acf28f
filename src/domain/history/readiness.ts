import { toCount } from "../catalogue/definition.ts";

/** What `readiness/1` reads, each as standard deviations above its own baseline. */
export const READINESS_TERMS = ["hrv", "resting_hr", "sleep_score", "respiratory_rate", "skin_temp"] as const;
export type ReadinessTerm = (typeof READINESS_TERMS)[number];

/** In percent. */
export const READINESS_WEIGHTS: Record<ReadinessTerm, number> = {
  hrv: 40,
  resting_hr: 25,
  sleep_score: 25,
  respiratory_rate: 5,
  skin_temp: 5,
};
const MIN_WEIGHT = 40;

/** Above is good for HRV and sleep, bad for the pulse; breath counts only when raised, temperature either way. */
const DIRECTIONS: Record<ReadinessTerm, (z: number) => number> = {
  hrv: (z) => z,
  resting_hr: (z) => -z,
  sleep_score: (z) => z,
  respiratory_rate: (z) => -Math.max(0, z),
  skin_temp: (z) => -Math.abs(z),
};

/** A term as it enters the score: in its direction, within ±3. */
export const readinessTerm = (term: ReadinessTerm, z: number): number =>
  Math.min(3, Math.max(-3, DIRECTIONS[term](z))) + 0;

export type Readiness = { score: number; z: number; weight: number };

/**
 * `readiness/1` (healthkit.md §5.3) of raw z values: 70 + 20 · their weighted mean, 0–100, half up. Null unless HRV
 * or resting heart rate is among them, and they weigh 40 % together.
 */
export const readiness = (raw: Partial<Record<ReadinessTerm, number>>): Readiness | null => {
  let [sum, weight] = [0, 0];
  for (const term of READINESS_TERMS) {
    const z = raw[term];
    if (z === undefined) continue;
    sum += READINESS_WEIGHTS[term] * readinessTerm(term, z);
    weight += READINESS_WEIGHTS[term];
  }
  if ((raw.hrv === undefined && raw.resting_hr === undefined) || weight < MIN_WEIGHT) return null;
  const z = sum / weight;
  return { score: Math.min(100, Math.max(0, toCount(70 + 20 * z))), z, weight: weight / 100 };
};
