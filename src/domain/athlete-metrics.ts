import { METRICS } from "./catalogue.ts";
import { type Daily, type MetricDefinition, type Range, toCount } from "./catalogue/definition.ts";
import { PERCENT, type Units, same, timeIn } from "./catalogue/units.ts";
import { compare } from "./canonical.ts";

/**
 * A metric of `athlete_metrics` (contract §3) as a person may enter it. `hard` is what a day's value can be at all, in
 * the canonical unit; `whole`: only whole numbers mean something; `from`: the sample type that it is computed from.
 */
export type AthleteMetric = {
  readonly metric: string;
  readonly unit: string;
  readonly units: Units;
  readonly hard: Range;
  readonly whole: boolean;
  readonly from: string | null;
};

/** Where a day can hold more than one sample of it. A day on a flight to the west has over 24 hours. */
const DAY_RANGES: Readonly<Record<string, Range>> = {
  steps: [0, 400_000],
  distance: [0, 1_000_000],
  flights: [0, 10_000],
  exercise_time: [0, 3000],
  stand_time: [0, 3000],
  mindful_time: [0, 3000],
};

const ofType = ({ metric, unit, units, round }: Daily, { key, hard }: MetricDefinition): AthleteMetric => ({
  metric,
  unit,
  units,
  hard: DAY_RANGES[metric] ?? hard,
  whole: round === toCount,
  from: key,
});

const scored = (metric: string, hard: Range): AthleteMetric => ({
  metric,
  unit: "score",
  units: new Map([["score", same]]),
  hard,
  whole: true,
  from: null,
});

const seconds = (metric: string): AthleteMetric => ({
  metric,
  unit: "s",
  units: timeIn("s"),
  hard: [0, 180_000],
  whole: false,
  from: "sleep_analysis",
});

/** Of 1 to 5: of mood and motivation 5 is best, of soreness and fatigue 5 is most (§5.8). */
export const WELLNESS = ["soreness", "fatigue", "mood", "motivation"] as const;

/** Metrics that no sample type gives by itself, or whose scale is not that of its samples. */
const OTHERS: readonly AthleteMetric[] = [
  scored("sleep_score", [0, 100]),
  scored("readiness", [0, 100]),
  scored("stress", [0, 100]),
  ...WELLNESS.map((metric) => scored(metric, [1, 5])),
  seconds("sleep_duration"),
  seconds("sleep_latency"),
  { metric: "sleep_efficiency", unit: "fraction", units: PERCENT, hard: [0, 1], whole: false, from: "sleep_analysis" },
  {
    metric: "skin_temp_deviation",
    unit: "degC",
    // A difference has no zero point to move (wtemp_dev/1).
    units: new Map([
      ["degC", same],
      ["degF", (value) => (value * 5) / 9],
    ]),
    hard: [-10, 10],
    whole: false,
    from: "sleeping_wrist_temp",
  },
];

const own = new Set(OTHERS.map(({ metric }) => metric));

/** Every metric of `athlete_metrics`, ordered by key. */
export const ATHLETE_METRICS: readonly AthleteMetric[] = [
  ...OTHERS,
  ...METRICS.flatMap((definition) =>
    definition.daily === null || own.has(definition.daily.metric) ? [] : [ofType(definition.daily, definition)],
  ),
].toSorted((a, b) => compare(a.metric, b.metric));

const byMetric = new Map(ATHLETE_METRICS.map((one) => [one.metric, one]));

export const athleteMetric = (metric: string): AthleteMetric | undefined => byMetric.get(metric);

/**
 * A person's value in the canonical unit; undefined for a unit that cannot be converted. A person who writes % means
 * percent, unlike HealthKit: half a percent is 0.005 here, and never repaired.
 */
export const enteredValue = ({ units }: AthleteMetric, value: number, unit: string): number | undefined => {
  const convert = units.get(unit);
  return unit === "%" && convert ? value / 100 : convert && convert(value) + 0;
};

/** Edits that turn one word into the other, letter by letter. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
};

/** What an unknown key may have meant: the metric of the sample type by that name, and those spelt nearly alike. */
export const likelyMetrics = (text: string): string[] => {
  const key = text.toLowerCase();
  const near = ATHLETE_METRICS.map(({ metric, from }) => ({
    metric,
    far: from === key ? 0 : Math.min(distance(key, metric), metric.startsWith(`${key}_`) ? 1 : Infinity),
  }));
  return near
    .filter(({ far, metric }) => far <= Math.max(1, Math.floor(metric.length / 3)))
    .toSorted((a, b) => a.far - b.far)
    .slice(0, 5)
    .map(({ metric }) => metric);
};
