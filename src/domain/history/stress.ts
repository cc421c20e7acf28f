import { toCount } from "../catalogue/definition.ts";
import { normalDistribution } from "./normal.ts";

/** Fewer samples of a day say nothing about it (D15). */
export const STRESS_MIN_SAMPLES = 3;

/**
 * `stress/1` (healthkit.md §5.4): 100·Φ(0.6·z of the mean sedentary heart rate − 0.4·z of the mean ln SDNN), 0–100,
 * half up. Both against the baselines of 60 days; neither is clamped.
 */
export const stress = (z: { sedentary_hr: number; ln_sdnn: number }): number =>
  toCount(100 * normalDistribution(0.6 * z.sedentary_hr - 0.4 * z.ln_sdnn));
