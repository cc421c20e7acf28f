import { METRICS } from "../catalogue.ts";

/** What each rule does, in a sentence: the methods that stand in `athlete_metrics` (healthkit.md §3–§5). */
const RULES: Readonly<Record<string, string>> = {
  "steps_merge/1":
    "The sources' timelines are merged: at each moment only the sample of the best source counts, and an interval over midnight is shared between the days by time.",
  "day_sum/1": "The sum of the day's samples; an interval over midnight is shared between the days by time.",
  "day_mean/1": "The mean of the day's samples.",
  "day_latest/1": "The latest sample of the local day, as the provider reported it.",
  "day_latest_by_end/1": "The latest sample that ended on the local day, as the provider reported it.",
  "hrv/1": "The median SDNN of the main sleep; of the whole day where the sleep has none.",
  "sleep_mean/1": "The mean over the main sleep; over the whole day where the sleep has none.",
  "rhr/1":
    "The device's own resting heart rate (Watch first, then the one saved last); where there is none, the quietest half hour of the night, else the 5th percentile of the day's sedentary heart rates.",
  "mood/1": "The day's latest daily mood of State of Mind, its valence of -1 to 1 on the scale of 1 to 5.",
  "sleep_session/1":
    "Sleep segments are put together to sessions; of sources that overlap one gives the stages; the longest night of the date is its main sleep.",
  "sleep_score/1":
    "Duration (50), bedtime against the last 13 nights within 21 days (30) and interruptions (20), over the components that are known.",
  "readiness/1":
    "70 + 20 times the weighted mean of how far HRV, resting heart rate, sleep score, breathing and wrist temperature are from their own baselines of 60 days.",
  "readiness/2":
    "As readiness/1, but HRV counts only by how far it lies outside half a standard deviation of its baseline: less is no change.",
  "stress/1": "How unusual the day's sedentary heart rate and its HRV are against their baselines of 60 days.",
  "wtemp_dev/1": "The night's wrist temperature less the median of the up to 28 nights before.",
  provider_total: "The provider's own total of the day, taken as it is.",
};

/** `hrv` of `hrv/1`. */
export const ruleName = (method: string): string => method.replace(/\/.*$/, "");

/** The methods of a rule by its name, with or without a version: all of `hrv`, or `hrv/1`. */
export const methodsOf = (rule: string): string[] =>
  Object.keys(RULES).filter((method) => method === rule || ruleName(method) === rule);

/** The names that rules go by. */
export const RULE_NAMES: readonly string[] = [...new Set(Object.keys(RULES).map(ruleName))];

export type Rule = { name: string; version: number | null; does: string };

/** The rule behind a method; null for a value that no rule made: a person's. */
export const ruleOf = (method: string | null): Rule | null => {
  if (method === null) return null;
  const version = method.split("/")[1];
  const does = RULES[method] ?? "A rule that this version of the service does not know.";
  return { name: ruleName(method), version: version === undefined ? null : Number(version), does };
};

const SLEEP = ["sleep_analysis"];
const DERIVED_RHR = ["heart_rate", "steps", "workout", ...SLEEP];

const READINESS = ["hrv_sdnn", "resting_heart_rate", "respiratory_rate", "sleeping_wrist_temp", ...DERIVED_RHR];

/** Sample metrics that a rule reads beside the one that its athlete metric is named after. */
const ALSO_READ: Readonly<Record<string, readonly string[]>> = {
  "hrv/1": SLEEP,
  "sleep_mean/1": SLEEP,
  "sleep_session/1": SLEEP,
  "sleep_score/1": SLEEP,
  "stress/1": ["heart_rate", "hrv_sdnn"],
  "wtemp_dev/1": ["sleeping_wrist_temp"],
  "readiness/1": READINESS,
  "readiness/2": READINESS,
};

/** The metrics of the samples that a rule reads to make an athlete metric; none for totals and a person's values. */
export const samplesRead = (metric: string, method: string | null): readonly string[] => {
  if (method === null || method === "provider_total") return [];
  const own = METRICS.filter(({ daily }) => daily?.metric === metric && daily.rule !== "provider_total");
  const pair = own.flatMap(({ correlation }) =>
    correlation === null ? [] : METRICS.filter((one) => one.correlation === correlation),
  );
  const keys = [...own, ...pair].map(({ key }) => key);
  const derivedRhr = method === "rhr/1" ? DERIVED_RHR : [];
  return [...new Set([...keys, ...derivedRhr, ...(ALSO_READ[method] ?? [])])];
};

/** The metrics of all samples that a method can read, whatever it makes of them. */
export const samplesOfMethod = (method: string): readonly string[] => {
  const made = METRICS.flatMap(({ daily }) => (daily?.rule === method ? [daily.metric] : []));
  return [...new Set([...made.flatMap((metric) => samplesRead(metric, method)), ...(ALSO_READ[method] ?? [])])];
};
