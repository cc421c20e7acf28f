import { canonicalJson } from "../canonical.ts";
import { fromEpochDay } from "../local-day.ts";
import type { MetricValue } from "../metric-value.ts";
import type { Digest, LocalDate } from "../sample.ts";
import { type Compared, type Missing, type Place, type Series, compareWith, isProvisional } from "./baseline.ts";
import type { NightScore } from "./night-scores.ts";
import type { Rules } from "./rules.ts";
import type { FactSeries } from "./series-of.ts";

/** All that the rules with history read. `score` holds the sleep scores that baselines read. */
export type Past = {
  series: FactSeries;
  scores: ReadonlyMap<number, NightScore>;
  score: Series;
  digest: Digest;
  rules: Rules;
};

/** A result before it has its hash: `read` is exactly what the rule read. */
type Told = Pick<MetricValue, "metric" | "value" | "unit" | "method" | "provenance"> & { read: unknown };

export const derived = ({ read, ...told }: Told, digest: Digest): MetricValue => ({
  ...told,
  source: "derived",
  input_hash: digest.sha256(canonicalJson(read)),
});

/** The days before a day that its rule reads. */
export const span = (day: number, days: number): { from: LocalDate; to: LocalDate } => ({
  from: fromEpochDay(day - days),
  to: fromEpochDay(day - 1),
});

/** What a comparison says in a provenance, without the values that it read. */
export const figures = ({ value, z, baseline }: Compared): Record<string, unknown> => ({
  value,
  z,
  baseline: { ...baseline, ...(isProvisional(baseline) ? { provisional: true } : {}) },
});

export const compared = (value: number | undefined, place: Place): Compared | Missing =>
  value === undefined ? { missing: "no_value" } : compareWith(value, place);
