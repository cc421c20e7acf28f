import { type Readiness, type ReadinessTerm, readiness } from "./readiness.ts";

type ReadinessRule = (raw: Partial<Record<ReadinessTerm, number>>) => Readiness | null;

/** Half a standard deviation of HRV is no change (the smallest worthwhile change, healthkit.md §5.3). */
const SMALLEST_CHANGE = 0.5;

/** `readiness/2`: as `readiness/1`, but HRV counts only by how far it lies outside the smallest worthwhile change. */
const readinessBeyondNoise: ReadinessRule = (raw) => {
  if (raw.hrv === undefined) return readiness(raw);
  const beyond = Math.max(0, Math.abs(raw.hrv) - SMALLEST_CHANGE);
  return readiness({ ...raw, hrv: Math.sign(raw.hrv) * beyond });
};

/** Every rule of which there is more than one version, by method. */
export const READINESS_RULES = {
  "readiness/1": readiness,
  "readiness/2": readinessBeyondNoise,
} as const satisfies Record<string, ReadinessRule>;

/** Which version of such a rule is in force. */
export type Rules = { readonly readiness: keyof typeof READINESS_RULES };

export const CURRENT_RULES: Rules = { readiness: "readiness/1" };

/** Methods that can be chosen: `readiness/2`. */
export const CHOICES: readonly string[] = Object.keys(READINESS_RULES);

const isReadiness = (method: string): method is Rules["readiness"] => method in READINESS_RULES;

/** The current rules, but for those chosen by method, the last one of a name. Throws RangeError for any other. */
export const chooseRules = (methods: readonly string[]): Rules => {
  const strange = methods.find((method) => !CHOICES.includes(method));
  if (strange !== undefined) throw new RangeError(`${strange} is none of ${CHOICES.join(", ")}`);
  return { readiness: methods.findLast(isReadiness) ?? CURRENT_RULES.readiness };
};
