import { canonicalJson } from "../canonical.ts";
import type { Digest } from "../sample.ts";

/**
 * What later days need of a day: a row of `day_facts`. Computed values only, never a person's edit (D14). A member that
 * is absent was not there that day.
 */
export type DayFacts = {
  /** Whether the day has closed; results that read it are final only then. */
  final: boolean;
  /** The date's main sleep. Times of day are wall-clock minutes after the previous local noon (D24). */
  main_sleep?: {
    session_id: string;
    onset_minute: number;
    total_sleep_s: number;
    deep_s: number | null;
    rem_s: number | null;
    awake_s: number | null;
    wakeup_count: number | null;
    /** Typed in by a person: it has a score, but enters no later night's baseline (§6). */
    user_entered?: true;
  };
  /** `hrv/1`, ms. */
  hrv?: number;
  /** Resting heart rate, count/min; `series` tells whose it is: baselines never mix two (D14). */
  resting_hr?: { value: number; series: string };
  respiratory_rate?: number;
  /** Absolute, degC. */
  skin_temp?: number;
  /** Mean of the local day's sedentary heart rates, and mean of ln SDNN, with how many (D15). */
  sedentary_hr?: { mean: number; n: number };
  ln_sdnn?: { mean: number; n: number };
};

/** SHA-256, hex, of a day's facts, whatever the order of their members: jsonb gives them back in its own. */
export const factsHash = (facts: DayFacts, digest: Digest): string => digest.sha256(canonicalJson(facts));
