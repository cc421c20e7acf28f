import type { LocalDate } from "../sample.ts";
import type { ValueSource } from "./effective.ts";
import type { Rule } from "./rules.ts";
import type { Sources } from "./sources.ts";

/** An object of health_streams that holds samples of the kinds that the rule reads, with how many of each. */
export type ReadObject = {
  period_start: LocalDate;
  period_end: LocalDate;
  level: string;
  generation: number;
  object_key: string;
  samples: Record<string, number>;
};

/** One change by a person, newest last. Values in the unit of the row. */
export type EditMade = {
  edited_at: string;
  actor: string;
  action: string;
  source: ValueSource;
  before: { value: number | null; locked: boolean } | null;
  after: { value: number | null; locked: boolean } | null;
};

/** One of the values that a date and metric have, and why it counts or does not. */
export type OneValue = {
  source: ValueSource;
  value: number | null;
  unit: string;
  locked: boolean;
  is_final: boolean;
  revision: number;
  why: string;
};

/** How a daily value came about. Instants as ISO 8601. */
export type Explanation = {
  athlete_id: string;
  date: LocalDate;
  metric: string;
  source: ValueSource;
  value: number | null;
  unit: string;
  /** Whether this is the value that counts for its date and metric, and why. */
  effective: boolean;
  why: string;
  locked: boolean;
  synced_value: number | null;
  is_final: boolean;
  /** The firing that wrote it; null for a person's hand. */
  pane: string | null;
  revision: number;
  updated_at: string;
  /** Null for a person's value. */
  rule: Rule | null;
  input_hash: string | null;
  inputs: {
    /** The local dates whose samples, or for rules with history whose remembered figures, the rule reads. */
    dates: { from: LocalDate; to: LocalDate };
    /** Of these dates, how many are remembered for baselines; null for rules without history. */
    days_remembered: number | null;
    objects: ReadObject[];
    /** Samples of these dates that are not in an object yet. */
    staged: Record<string, number>;
  };
  sources: Sources;
  /** The date's main sleep, where the rule reads it. */
  session: { session_id: string; source: string; kind: string; provenance: Record<string, unknown> | null } | null;
  /** What the rule itself noted: counts, figures, baselines, what was missing. */
  provenance: Record<string, unknown> | null;
  /** All values of the date and metric, the one that counts first. */
  values: OneValue[];
  edits: EditMade[];
};
