import type { Sample } from "./sample.ts";

const SYSTOLIC = "blood_pressure_systolic";
const DIASTOLIC = "blood_pressure_diastolic";

/** The other half of a blood pressure shares group and start (D23). */
const pairKey = ({ attributes, start_at }: Sample): string | null =>
  attributes.group_id === undefined ? null : `${attributes.group_id}|${start_at}`;

/**
 * The parts of blood pressures that cannot be: a systolic pressure that is above none of its diastolic ones, and the
 * other way round. Usually a pair has one of each; a part without its other half says nothing against itself.
 */
export const impossiblePressures = (samples: readonly Sample[]): ReadonlySet<Sample> => {
  const highest = new Map<string, number>();
  const lowest = new Map<string, number>();
  for (const sample of samples) {
    const key = pairKey(sample);
    if (key === null) continue;
    const { metric, value } = sample;
    if (metric === SYSTOLIC) highest.set(key, Math.max(value, highest.get(key) ?? -Infinity));
    if (metric === DIASTOLIC) lowest.set(key, Math.min(value, lowest.get(key) ?? Infinity));
  }
  const isImpossible = (sample: Sample): boolean => {
    const key = pairKey(sample) ?? "";
    if (sample.metric === SYSTOLIC) return sample.value <= (lowest.get(key) ?? -Infinity);
    return sample.metric === DIASTOLIC && sample.value >= (highest.get(key) ?? Infinity);
  };
  return new Set(samples.filter(isImpossible));
};
